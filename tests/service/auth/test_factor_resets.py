"""Somebody who lost every second factor is let in again by two operators and time, and the owner can stop it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.auth.commands.finish_factor_resets import finish_factor_resets
from shared.service import Service
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, problem, register, token_in
from tests.service.auth.test_login import claims_of
from tests.service.auth.test_passkeys import enrol, login_options, passkey_login
from tests.support.authenticator import Authenticator
from tests.support.second_factors import BEFORE, App, begin_login, codes_sent, enrol_app

RESETS = "/v1/admin/factor-resets"
OWN = "/v1/auth/factor-reset"
REASON = {"reason": "Phone lost; identity checked in a video call."}
WAIT = timedelta(hours=24, seconds=1)
Later = Callable[..., Awaitable[None]]


@pytest.fixture
async def support(client: httpx.AsyncClient, baraka: Person, owner: asyncpg.Connection) -> Person:
    await owner.execute("UPDATE auth.users SET roles = '{user,support}' WHERE id = $1", baraka.id)
    return baraka


@pytest.fixture
async def lost(client: httpx.AsyncClient, amina: Person, sent: Sent, clock: MovableClock) -> tuple[Person, App, Authenticator]:
    """Amina, with a confirmed address, an app, a passkey and recovery codes: all of which she is about to lose."""
    verify = next(mail for mail in await sent("notifications.email.send") if mail["to"] == amina.email)
    await client.post("/v1/auth/email/verify", json={"token": token_in(verify)})
    device = Authenticator(counts=False)
    assert (await enrol(client, amina, device)).status_code == 201
    app, _ = await enrol_app(client, amina.headers, clock)
    return amina, app, device


@pytest.fixture
def clock() -> MovableClock:
    """Codes of apps move it on, and no token may be of the future."""
    clock = MovableClock()
    clock.ahead = BEFORE
    return clock


async def ask(client: httpx.AsyncClient, operator: Person, person: Person) -> httpx.Response:
    return await client.post(RESETS, json={"user_id": str(person.id), **REASON}, headers=operator.headers)


async def asked(client: httpx.AsyncClient, operator: Person, person: Person) -> dict[str, Any]:
    answer = await ask(client, operator, person)
    assert answer.status_code == 201, answer.text
    reset: dict[str, Any] = answer.json()
    return reset


async def decide(client: httpx.AsyncClient, who: Person, reset: dict[str, Any], what: str = "approve") -> httpx.Response:
    return await client.post(f"{RESETS}/{reset['id']}/{what}", headers=who.headers)


async def shown(client: httpx.AsyncClient, operator: Person, reset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"{RESETS}/{reset['id']}", headers=operator.headers)).json()
    return found


async def letters(sent: Sent) -> list[dict[str, Any]]:
    about = ("factor_reset_", "factors_reset")
    return [mail for mail in await sent("notifications.email.send") if mail["template"].startswith(about)]


@pytest.fixture
def later(owner: asyncpg.Connection, clock: MovableClock) -> Later:
    """So much later, when everybody who is logged in has just proved it again."""

    async def wait(time: timedelta = WAIT) -> None:
        clock.ahead += time
        await owner.execute("UPDATE auth.sessions SET authenticated_at = $1", clock.now())

    return wait


async def test_a_person_who_lost_everything_gets_in_again(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    sent: Sent,
    owner: asyncpg.Connection,
    clock: MovableClock,
    later: Later,
) -> None:
    amina, app, device = lost
    reset = await asked(client, support, amina)
    assert (reset["status"], reset["requested_by"], reset["due_at"]) == ("awaiting_approval", str(support.id), None)
    waiting = await decide(client, admin, reset)
    assert (waiting.status_code, waiting.json()["status"], waiting.json()["approved_by"]) == (200, "waiting", str(admin.id))
    assert [mail["template"] for mail in await letters(sent)] == ["factor_reset_requested", "factor_reset_approved"]
    assert {mail["to"] for mail in await letters(sent)} == {amina.email}
    assert REASON["reason"] not in str(await letters(sent))

    clock.ahead += timedelta(hours=23)
    pending = await begin_login(client, amina.email, PASSWORD)
    assert pending["methods"] == ["passkey", "totp", "recovery_code"]
    await finish_factor_resets(service.context)
    assert (await begin_login(client, amina.email, PASSWORD))["methods"] == ["passkey", "totp", "recovery_code"]

    await later(timedelta(hours=1, seconds=1))
    early = await begin_login(client, amina.email, PASSWORD)
    for _ in range(2):
        await finish_factor_resets(service.context)
    assert (await shown(client, admin, reset))["status"] == "done"
    assert (await letters(sent))[-1]["template"] == "factors_reset"
    assert [event["reason"] for event in await sent("auth.session.ended")][-1] == "factor_changed"
    assert problem(await client.get("/v1/me", headers=amina.headers))[0] == 401
    old = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(old) == (401, "refresh_token_invalid")
    finish = {"mfa_token": early["mfa_token"], "method": "totp", "code": app.code()}
    assert problem(await client.post("/v1/auth/login/mfa", json=finish)) == (401, "mfa_token_invalid")
    refused = await passkey_login(client, device.get(await login_options(client)))
    assert problem(refused) == (401, "passkey_refused")

    clock.ahead = BEFORE + timedelta(minutes=5)
    step = await begin_login(client, amina.email, PASSWORD)
    assert step["methods"] == ["email"], "the password alone opens nothing"
    code = (await codes_sent(owner, amina.email))[-1]
    done = await client.post("/v1/auth/login/mfa", json={"mfa_token": step["mfa_token"], "method": "email", "code": code})
    assert done.status_code == 200, done.text
    assert claims_of(done.json()["access_token"])["amr"] == ["pwd", "email", "mfa"]
    headers = {"Authorization": f"Bearer {done.json()['access_token']}"}
    _, codes = await enrol_app(client, headers, clock)
    assert len(codes) == 10, "the first factor of one's own brings new recovery codes"

    log = await client.get("/v1/admin/audit-log", params={"subject_id": reset["id"]}, headers=admin.headers)
    assert [entry["action"] for entry in log.json()["items"]] == [
        "factor_reset.done",
        "factor_reset.approved",
        "factor_reset.requested",
    ]
    assert REASON["reason"] not in log.text
    (entry,) = (await client.get("/v1/admin/audit-log", params={"action": "user.factors_reset"}, headers=admin.headers)).json()[
        "items"
    ]
    assert (entry["subject_id"], entry["before"]["methods"]) == (str(amina.id), ["passkey", "totp", "recovery_code"])


async def test_nobody_does_it_alone(
    client: httpx.AsyncClient, admin: Person, support: Person, lost: tuple[Person, App, Authenticator], owner: asyncpg.Connection
) -> None:
    amina = lost[0]
    reset = await asked(client, admin, amina)
    assert problem(await decide(client, admin, reset)) == (403, "second_person_required")
    assert problem(await decide(client, support, reset)) == (403, "forbidden"), "support asks, administrators approve"
    await owner.execute("UPDATE auth.users SET roles = '{user,admin}' WHERE id = $1", amina.id)
    assert problem(await decide(client, amina, reset)) == (403, "second_person_required")
    assert problem(await ask(client, amina, amina)) == (409, "own_account")
    assert await owner.fetchval("SELECT status FROM auth.factor_resets") == "awaiting_approval"
    for column in ("requested_by", "user_id"):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(
                f"UPDATE auth.factor_resets SET status = 'waiting', approved_by = {column}, approved_at = now(), due_at = now()"
            )
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE auth.factor_resets SET status = 'done', ended_at = now()")


async def test_who_is_no_operator_sees_and_decides_nothing(
    client: httpx.AsyncClient, admin: Person, support: Person, lost: tuple[Person, App, Authenticator]
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    stranger = await register(client, "stranger@example.com")
    assert problem(await ask(client, stranger, amina)) == (403, "forbidden")
    assert problem(await client.get(RESETS, headers=stranger.headers)) == (403, "forbidden")
    assert problem(await client.get(f"{RESETS}/{reset['id']}", headers=stranger.headers)) == (403, "forbidden")
    for what in ("approve", "decline"):
        assert problem(await decide(client, stranger, reset, what)) == (403, "forbidden")
        assert problem(await decide(client, admin, {"id": uuid4()}, what)) == (404, "factor_reset_not_found")
    assert problem(await client.get(OWN, headers=stranger.headers)) == (404, "factor_reset_not_found")
    assert problem(await client.delete(OWN, headers=stranger.headers)) == (404, "factor_reset_not_found")
    assert (await client.get(OWN, headers=amina.headers)).json()["status"] == "awaiting_approval"
    (listed,) = (await client.get(RESETS, params={"user_id": str(amina.id)}, headers=support.headers)).json()["items"]
    assert listed["reason"] == REASON["reason"]


async def test_operators_prove_that_they_are_there(
    client: httpx.AsyncClient, admin: Person, support: Person, lost: tuple[Person, App, Authenticator], clock: MovableClock
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    clock.ahead += timedelta(minutes=10, seconds=30)
    assert problem(await ask(client, support, amina)) == (401, "step_up_required")
    assert problem(await decide(client, admin, reset)) == (401, "step_up_required")
    assert (await decide(client, support, reset, "decline")).json()["status"] == "declined"


@pytest.mark.parametrize("at", ["asked", "approved"])
@pytest.mark.parametrize("how", ["link", "first link", "page", "session", "app", "passkey", "step-up"])
async def test_the_owner_stops_it(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    sent: Sent,
    later: Later,
    at: str,
    how: str,
) -> None:
    amina, app, device = lost
    reset = await asked(client, support, amina)
    if at == "approved":
        await decide(client, admin, reset)
    mails = await letters(sent)
    token = token_in(mails[0 if how == "first link" else -1])
    if how in ("link", "first link"):
        assert (await client.post(f"{OWN}/stop", json={"token": token})).status_code == 204
        assert problem(await client.post(f"{OWN}/stop", json={"token": token})) == (422, "link_invalid")
    elif how == "page":
        page = mails[-1]["data"]["link"].removeprefix("http://localhost:8000")
        assert (await client.get(page)).status_code == 200
        assert (await shown(client, admin, reset))["ended_at"] is None, "opening the page changes nothing"
        assert (await client.post(page.split("?")[0], data={"token": token})).status_code == 200
    elif how == "session":
        assert (await client.delete(OWN, headers=amina.headers)).status_code == 204
    elif how == "app":
        step = await begin_login(client, amina.email, PASSWORD)
        finish = {"mfa_token": step["mfa_token"], "method": "totp", "code": app.code()}
        assert (await client.post("/v1/auth/login/mfa", json=finish)).status_code == 200
    elif how == "passkey":
        assert (await passkey_login(client, device.get(await login_options(client)))).status_code == 200
    else:
        proof = {"method": "totp", "code": app.code()}
        assert (await client.post("/v1/auth/step-up", json=proof, headers=amina.headers)).status_code == 200
    ended = await shown(client, admin, reset)
    assert (ended["status"], ended["ended_by"]) == ("stopped", str(amina.id))
    assert (await letters(sent))[-1]["template"] == "factor_reset_stopped"
    assert problem(await decide(client, admin, reset)) == (409, "factor_reset_ended")
    await later()
    await finish_factor_resets(service.context)
    assert (await begin_login(client, amina.email, PASSWORD))["methods"] == ["passkey", "totp", "recovery_code"]


async def test_a_wrong_code_stops_nothing(
    client: httpx.AsyncClient, admin: Person, support: Person, lost: tuple[Person, App, Authenticator]
) -> None:
    amina, app, _ = lost
    reset = await asked(client, support, amina)
    step = await begin_login(client, amina.email, PASSWORD)
    finish = {"mfa_token": step["mfa_token"], "method": "totp", "code": app.wrong_code()}
    assert problem(await client.post("/v1/auth/login/mfa", json=finish)) == (401, "code_invalid")
    assert problem(await client.post(f"{OWN}/stop", json={"token": "x" * 43})) == (422, "link_invalid")
    assert (await shown(client, admin, reset))["status"] == "awaiting_approval"


async def test_declined_while_it_waits(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    sent: Sent,
    clock: MovableClock,
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    await decide(client, admin, reset)
    declined = await client.post(f"{RESETS}/{reset['id']}/decline", json={"reason": "It was not she"}, headers=admin.headers)
    assert (declined.json()["status"], declined.json()["end_reason"]) == ("declined", "It was not she")
    assert (await decide(client, admin, reset, "decline")).json() == declined.json()
    assert [mail["template"] for mail in await letters(sent)][2:] == ["factor_reset_declined"]
    assert problem(await decide(client, admin, reset)) == (409, "factor_reset_ended")
    clock.ahead += WAIT
    await finish_factor_resets(service.context)
    assert (await begin_login(client, amina.email, PASSWORD))["methods"] == ["passkey", "totp", "recovery_code"]


async def test_approvals_at_the_same_moment_are_one(
    client: httpx.AsyncClient,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    sent: Sent,
    owner: asyncpg.Connection,
) -> None:
    amina = lost[0]
    third = await register(client, "third@lendery.test")
    await owner.execute("UPDATE auth.users SET roles = '{admin}' WHERE id = $1", third.id)
    both = await at_once(ask(client, support, amina), ask(client, admin, amina))
    assert sorted(answer.status_code for answer in both) == [201, 409]
    reset = next(answer.json() for answer in both if answer.status_code == 201)
    deciders = [one for one in (admin, third) if str(one.id) != reset["requested_by"]]
    answers = await at_once(*(decide(client, one, reset) for one in deciders * 3))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["approved_by"] for answer in answers}) == 1
    assert [mail["template"] for mail in await letters(sent)] == ["factor_reset_requested", "factor_reset_approved"]
    assert await owner.fetchval("SELECT count(*) FROM auth.audit_log WHERE action = 'factor_reset.approved'") == 1


async def test_stopped_in_the_last_moment_or_not_at_all(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    sent: Sent,
    later: Later,
    owner: asyncpg.Connection,
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    await decide(client, admin, reset)
    token = token_in((await letters(sent))[0])
    await later(timedelta(hours=24) - timedelta(seconds=1))
    await owner.execute("UPDATE auth.factor_resets SET due_at = due_at - interval '10 seconds'")
    stop = client.post(f"{OWN}/stop", json={"token": token})
    answer, *_ = await asyncio.gather(stop, finish_factor_resets(service.context), finish_factor_resets(service.context))
    stopped = answer.status_code == 204
    assert stopped or problem(answer) == (422, "link_invalid")
    assert (await shown(client, admin, reset))["status"] == ("stopped" if stopped else "done")
    kept = await owner.fetchval("SELECT count(*) FROM auth.passkeys WHERE user_id = $1", amina.id)
    assert kept == (1 if stopped else 0)
    told = [mail["template"] for mail in await letters(sent)][2:]
    assert told == ["factor_reset_stopped" if stopped else "factors_reset"]


async def test_accounts_that_need_none_or_cannot_be_told(
    client: httpx.AsyncClient,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    owner: asyncpg.Connection,
    sent: Sent,
    clock: MovableClock,
) -> None:
    amina = lost[0]
    plain = await register(client, "plain@example.com")
    await owner.execute("UPDATE auth.users SET email_verified_at = now() WHERE id = $1", plain.id)
    assert problem(await ask(client, support, plain)) == (409, "factor_reset_refused")
    assert problem(await ask(client, support, Person(uuid4(), "", {}))) == (404, "user_not_found")
    await owner.execute("UPDATE auth.users SET email_verified_at = NULL WHERE id = $1", amina.id)
    assert problem(await ask(client, support, amina)) == (409, "factor_reset_refused")
    await owner.execute("UPDATE auth.users SET email_verified_at = now() WHERE id = $1", amina.id)
    for status in ("suspended", "closed"):
        await owner.execute("UPDATE auth.users SET status = $1 WHERE id = $2", status, amina.id)
        assert problem(await ask(client, support, amina)) == (409, "factor_reset_refused")
    assert await letters(sent) == []


async def test_an_account_that_is_suspended_meanwhile_keeps_its_factors(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    owner: asyncpg.Connection,
    sent: Sent,
    later: Later,
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    await owner.execute("UPDATE auth.users SET status = 'suspended' WHERE id = $1", amina.id)
    assert problem(await decide(client, admin, reset)) == (409, "factor_reset_ended")
    await owner.execute("UPDATE auth.users SET status = 'active' WHERE id = $1", amina.id)
    assert (await decide(client, admin, reset)).status_code == 200
    await owner.execute("UPDATE auth.users SET status = 'closed' WHERE id = $1", amina.id)
    await later()
    await finish_factor_resets(service.context)
    assert (await shown(client, admin, reset))["status"] == "void"
    assert await owner.fetchval("SELECT count(*) FROM auth.passkeys WHERE user_id = $1", amina.id) == 1
    assert "factors_reset" not in [mail["template"] for mail in await letters(sent)]


async def test_a_request_that_nobody_approves_ends(
    client: httpx.AsyncClient,
    service: Service,
    admin: Person,
    support: Person,
    lost: tuple[Person, App, Authenticator],
    owner: asyncpg.Connection,
    later: Later,
) -> None:
    amina = lost[0]
    reset = await asked(client, support, amina)
    await later(timedelta(hours=72, seconds=1))
    assert problem(await decide(client, admin, reset)) == (409, "factor_reset_ended")
    again = await asked(client, admin, amina)  # and the one before is closed on the way
    assert (await shown(client, admin, reset))["status"] == "expired"
    await later(timedelta(hours=72, seconds=1))
    await finish_factor_resets(service.context)
    assert await owner.fetchval("SELECT count(*) FROM auth.factor_resets WHERE status = 'expired'") == 2
    assert (await shown(client, admin, again))["status"] == "expired"


async def test_an_operator_who_is_none_any_more_has_asked_in_vain(
    client: httpx.AsyncClient, admin: Person, support: Person, lost: tuple[Person, App, Authenticator], owner: asyncpg.Connection
) -> None:
    reset = await asked(client, support, lost[0])
    await owner.execute("UPDATE auth.users SET roles = '{user}' WHERE id = $1", support.id)
    assert problem(await decide(client, admin, reset)) == (409, "factor_reset_ended")
