"""Authenticator apps, codes by message and recovery codes: set up, used, removed."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.domain.totp import code_of, step_at
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, log_in, problem, register, token_in
from tests.service.auth.test_login import claims_of
from tests.support.second_factors import BEFORE, App, begin_login, codes_sent, enrol_app

NUMBER = "+254712345678"


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.ahead = BEFORE
    return clock


async def finish(client: httpx.AsyncClient, step: dict[str, Any], method: str, code: str) -> httpx.Response:
    return await client.post("/v1/auth/login/mfa", json={"mfa_token": step["mfa_token"], "method": method, "code": code})


async def mail_titles(sent: Sent) -> list[str]:
    return [mail["template"] for mail in await sent("notifications.email.send")]


async def with_verified_email(client: httpx.AsyncClient, sent: Sent, person: Person) -> None:
    links = [mail for mail in await sent("notifications.email.send") if mail["template"] == "verify_email"]
    assert (await client.post("/v1/auth/email/verify", json={"token": token_in(links[-1])})).status_code == 200


async def test_an_app_is_set_up_and_asked_for_at_each_login(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent, owner: asyncpg.Connection
) -> None:
    elsewhere = await log_in(client, amina.email)
    begun = (await client.post("/v1/auth/mfa/totp", headers=amina.headers)).json()
    assert begun["otpauth_uri"].startswith("otpauth://totp/Lendery:amina@example.com?secret=" + begun["secret"])
    assert begun["qr_svg"].startswith("<svg")
    assert "script" not in begun["qr_svg"]
    assert (await log_in(client, amina.email))["access_token"]  # begun is not confirmed
    app, recovery_codes = await enrol_app(client, amina.headers, clock)
    assert len(set(recovery_codes)) == 10

    step = await begin_login(client, amina.email, PASSWORD)
    assert step.keys() == {"mfa_required", "mfa_token", "methods", "expires_in", "sent_to"}
    assert step["methods"] == ["totp", "recovery_code"]
    answer = await finish(client, step, "totp", app.code())
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.json()["access_token"])
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert claims["mfa"] is True
    assert claims["mfa_time"] == claims["auth_time"]
    assert claims["step_up_methods"] == ["totp", "recovery_code"]
    renewed = await client.post("/v1/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
    assert {**claims_of(renewed.json()["access_token"]), "jti": 0, "iat": 0, "nbf": 0, "exp": 0} == {
        **claims, "jti": 0, "iat": 0, "nbf": 0, "exp": 0,
    }  # fmt: skip

    kept = await client.get("/v1/me", headers=amina.headers)
    ended = await client.get("/v1/me", headers={"Authorization": f"Bearer {elsewhere['access_token']}"})
    assert (kept.status_code, ended.status_code) == (200, 401)
    assert (await mail_titles(sent)).count("factor_added") == 1
    stored = await owner.fetchrow("SELECT * FROM auth.second_factors")
    assert app.secret not in bytes(stored["secret"])
    assert await owner.fetchval("SELECT count(*) FROM auth.audit_log WHERE action = 'factor.added'") == 1
    factors = (await client.get("/v1/auth/mfa", headers=amina.headers)).json()
    assert (factors["enabled"], factors["methods"], factors["recovery_codes_left"]) == (True, ["totp", "recovery_code"], 10)


async def test_the_first_code_of_an_app_must_be_right_and_soon(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    never = await client.post("/v1/auth/mfa/totp/confirm", headers=amina.headers, json={"code": "123456"})
    assert problem(never) == (409, "factor_setup_expired")
    begun = (await client.post("/v1/auth/mfa/totp", headers=amina.headers)).json()
    import base64

    app = App(base64.b32decode(begun["secret"]), clock)
    wrong = await client.post("/v1/auth/mfa/totp/confirm", headers=amina.headers, json={"code": app.wrong_code()})
    assert problem(wrong) == (401, "code_invalid")
    clock.ahead += timedelta(minutes=16)
    late = await client.post("/v1/auth/mfa/totp/confirm", headers=amina.headers, json={"code": app.code()})
    assert problem(late) == (409, "factor_setup_expired")
    assert (await client.get("/v1/auth/mfa", headers=amina.headers)).json()["enabled"] is False


async def test_a_factor_in_use_is_not_replaced_but_removed_first(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent
) -> None:
    await enrol_app(client, amina.headers, clock)
    assert problem(await client.post("/v1/auth/mfa/totp", headers=amina.headers)) == (409, "factor_exists")
    assert (await client.delete("/v1/auth/mfa/totp", headers=amina.headers)).status_code == 204
    assert problem(await client.delete("/v1/auth/mfa/totp", headers=amina.headers)) == (404, "factor_not_found")
    factors = (await client.get("/v1/auth/mfa", headers=amina.headers)).json()
    assert (factors["enabled"], factors["recovery_codes_left"]) == (False, 0)
    assert (await log_in(client, amina.email))["access_token"]
    assert "factor_removed" in await mail_titles(sent)


async def test_a_recovery_code_works_once_and_is_told_to_the_owner(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent, owner: asyncpg.Connection
) -> None:
    _, codes = await enrol_app(client, amina.headers, clock)
    steps = [await begin_login(client, amina.email, PASSWORD) for _ in range(3)]
    typed = codes[0].lower().replace("-", " ")
    answers = await at_once(*(finish(client, step, "recovery_code", typed) for step in steps))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    mails = [mail for mail in await sent("notifications.email.send") if mail["template"] == "recovery_code_used"]
    assert [mail["data"]["left"] for mail in mails] == ["9"]
    stored = await owner.fetch("SELECT code_hash FROM auth.recovery_codes")
    assert not any(codes[0].encode() in bytes(row["code_hash"]) for row in stored)

    replaced = await client.post("/v1/auth/mfa/recovery-codes", headers=amina.headers)
    assert len(replaced.json()["recovery_codes"]) == 10
    step = await begin_login(client, amina.email, PASSWORD)
    assert problem(await finish(client, step, "recovery_code", codes[1])) == (401, "code_invalid")
    new = replaced.json()["recovery_codes"][0]
    assert (await finish(client, step, "recovery_code", new)).status_code == 200


async def test_codes_by_email(client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection) -> None:
    unverified = await client.post("/v1/auth/mfa/email", headers=amina.headers)
    assert problem(unverified) == (422, "factor_not_available")
    await with_verified_email(client, sent, amina)
    begun = await client.post("/v1/auth/mfa/email", headers=amina.headers)
    assert begun.json() == {"sent_to": "a•••@example.com", "expires_in": 600}
    (code,) = await codes_sent(owner, amina.email)
    assert code not in await owner.fetchval("SELECT string_agg(envelope::text, '') FROM auth.outbox")
    confirmed = await client.post("/v1/auth/mfa/email/confirm", headers=amina.headers, json={"code": code})
    assert len(confirmed.json()["recovery_codes"]) == 10

    step = await begin_login(client, amina.email, PASSWORD)
    assert (step["methods"], step["sent_to"]) == (["email", "recovery_code"], "a•••@example.com")
    (_, first) = await codes_sent(owner, amina.email)
    again = {"mfa_token": step["mfa_token"], "method": "email"}
    assert (await client.post("/v1/auth/login/mfa/challenge", json=again)).status_code == 200
    (_, _, second) = await codes_sent(owner, amina.email)
    if first != second:
        assert problem(await finish(client, step, "email", first)) == (401, "code_invalid")
    assert (await finish(client, step, "email", f"{second[:3]} {second[3:]}")).status_code == 200
    assert problem(await finish(client, step, "email", second)) == (401, "mfa_token_invalid")
    rows = str([dict(row) for row in await owner.fetch("SELECT * FROM auth.sent_codes")])
    assert second not in rows
    assert amina.email not in rows


async def test_codes_by_sms(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    assert problem(await client.post("/v1/auth/mfa/sms", headers=amina.headers)) == (409, "phone_missing")
    refused = await client.post("/v1/auth/mfa/sms", headers=amina.headers, json={"phone": "+254202222222"})
    assert problem(refused) == (422, "validation_error")  # a landline in Nairobi
    begun = await client.post("/v1/auth/mfa/sms", headers=amina.headers, json={"phone": "+254 (0)712-345 678"})
    assert begun.json()["sent_to"] == "+254•••678"
    (code,) = await codes_sent(owner, NUMBER)
    assert (await client.post("/v1/auth/mfa/sms/confirm", headers=amina.headers, json={"code": code})).status_code == 200
    step = await begin_login(client, amina.email, PASSWORD)
    assert (step["methods"], step["sent_to"]) == (["sms", "recovery_code"], "+254•••678")
    answer = await finish(client, step, "sms", (await codes_sent(owner, NUMBER))[-1])
    assert claims_of(answer.json()["access_token"])["amr"] == ["pwd", "sms", "mfa"]


async def test_a_code_of_one_login_is_no_good_for_another(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    await client.post("/v1/auth/mfa/sms", headers=amina.headers, json={"phone": NUMBER})
    (code,) = await codes_sent(owner, NUMBER)
    await client.post("/v1/auth/mfa/sms/confirm", headers=amina.headers, json={"code": code})
    first, second = [await begin_login(client, amina.email, PASSWORD) for _ in range(2)]
    _, of_first, of_second = await codes_sent(owner, NUMBER)
    if of_first != of_second:
        assert problem(await finish(client, second, "sms", of_first)) == (401, "code_invalid")
    assert (await finish(client, first, "sms", of_first)).status_code == 200


async def test_a_code_gets_old(client: httpx.AsyncClient, amina: Person, clock: MovableClock, owner: asyncpg.Connection) -> None:
    await client.post("/v1/auth/phone/verify", headers=amina.headers, json={"phone": NUMBER})
    (code,) = await codes_sent(owner, NUMBER)
    clock.ahead += timedelta(minutes=10, seconds=1)
    late = await client.post("/v1/auth/phone/verify/confirm", headers=amina.headers, json={"code": code})
    assert problem(late) == (401, "code_invalid")


async def test_a_phone_number_is_confirmed_and_a_new_one_is_not(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    assert problem(await client.post("/v1/auth/phone/verify", headers=amina.headers)) == (409, "phone_missing")
    asked = await client.post("/v1/auth/phone/verify", headers=amina.headers, json={"phone": NUMBER})
    assert asked.status_code == 202
    assert (await client.get("/v1/me", headers=amina.headers)).json()["phone"] is None
    (code,) = await codes_sent(owner, NUMBER)
    confirmed = await client.post("/v1/auth/phone/verify/confirm", headers=amina.headers, json={"code": code})
    assert confirmed.json() == {"phone": NUMBER, "phone_verified": True}
    me = (await client.get("/v1/me", headers=amina.headers)).json()
    assert (me["phone"], me["phone_verified"]) == (NUMBER, True)
    assert (await sent("auth.user.updated"))[-1]["phone"] == NUMBER
    changed = await client.patch("/v1/me", headers=amina.headers, json={"phone": "+254722000000"})
    assert changed.json()["phone_verified"] is False


async def test_sending_is_limited(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    """However the number is asked for: five codes an account or a number, then ever longer breaks."""
    answers = [await client.post("/v1/auth/phone/verify", headers=amina.headers, json={"phone": NUMBER}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert problem(answers[5]) == (429, "too_many_codes")
    assert int(answers[5].headers["retry-after"]) <= 300
    other = await register(client, "baraka@lendery.test")
    same_number = await client.post("/v1/auth/mfa/sms", headers=other.headers, json={"phone": NUMBER})
    assert problem(same_number) == (429, "too_many_codes")
    assert len(await codes_sent(owner, NUMBER)) == 5


async def test_a_waiting_login_ends_with_its_time_and_with_the_password(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    app, codes = await enrol_app(client, amina.headers, clock)
    late, overtaken = [await begin_login(client, amina.email, PASSWORD) for _ in range(2)]
    change = {"current_password": PASSWORD, "new_password": "another fine secret"}
    assert (await client.post("/v1/auth/password/change", headers=amina.headers, json=change)).status_code == 204
    assert problem(await finish(client, overtaken, "recovery_code", codes[0])) == (401, "mfa_token_invalid")
    late = await begin_login(client, amina.email, "another fine secret")
    clock.ahead += timedelta(minutes=5, seconds=1)
    assert problem(await finish(client, late, "recovery_code", codes[0])) == (401, "mfa_token_invalid")
    assert problem(await finish(client, {"mfa_token": "lmt_made-up"}, "totp", app.code())) == (401, "mfa_token_invalid")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mfa_token": "x", "method": "totp"},
        {"mfa_token": "x", "method": "passkey", "code": "1"},
        {"mfa_token": "x", "method": "password", "code": "1"},
        {"mfa_token": "x", "method": "totp", "code": ""},
        {"mfa_token": "x", "method": "totp", "code": 123456},
        {"mfa_token": "x", "method": "passkey", "credential": []},
    ],
)
async def test_bad_bodies(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await client.post("/v1/auth/login/mfa", json=body)) == (422, "validation_error")


async def test_a_method_that_the_account_has_not(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    await enrol_app(client, amina.headers, clock)
    step = await begin_login(client, amina.email, PASSWORD)
    refused = await finish(client, step, "sms", "123456")
    assert problem(refused) == (422, "factor_not_available")
    assert refused.json()["methods"] == ["totp", "recovery_code"]
    for method in ("sms", "passkey"):
        asked = await client.post("/v1/auth/login/mfa/challenge", json={"mfa_token": step["mfa_token"], "method": method})
        assert problem(asked) == (422, "factor_not_available")


async def test_a_code_may_be_one_step_early_or_late(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    app, _ = await enrol_app(client, amina.headers, clock)
    clock.ahead += timedelta(minutes=3)
    present = step_at(clock.now())
    for step, expected in ((present - 3, 401), (present + 4, 401)):
        login = await begin_login(client, amina.email, PASSWORD)
        assert (await finish(client, login, "totp", code_of(app.secret, step))).status_code == expected
    login = await begin_login(client, amina.email, PASSWORD)
    early = code_of(app.secret, step_at(clock.now()) + 1)
    assert (await finish(client, login, "totp", early)).status_code == 200
