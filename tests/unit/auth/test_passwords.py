"""Which passwords are accepted, and how they are hashed."""

import asyncio
from typing import Any

import pytest

from services.auth.domain.common_passwords import COMMON_PASSWORDS
from services.auth.domain.passwords import MAX_LENGTH, accepted, normalised, refused_because
from services.auth.passwords import Passwords
from services.auth.settings import Settings
from shared.problems import InvalidRequest, ServiceUnavailable


@pytest.mark.parametrize(
    "password",
    [
        "a long enough secret",
        "amina likes long walks",
        "lendery and then some",
        "Only-lower-case-is-fine",
        "1x2y3z4a5b",
        "пароль из слов",
        "密码密码密码一二三四",
        "x y" * 80,
        "correct horse battery staple",
    ],
)
def test_accepted(password: str) -> None:
    assert refused_because(password) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("nine char", "at least 10"),
        ("ab" * MAX_LENGTH, "at most 256"),
        ("PassWord123", "first that anybody"),
        ("qwertyuiop", "first that anybody"),
        ("ababababab", "first that anybody"),
        ("abcabcabcabc1", "first that anybody"),
        ("zyxwvutsrqponm", "first that anybody"),
        ("password1234", "first that anybody"),
        ("secretpassword", "first that anybody"),
        ("holds \x00 a NUL", "NUL"),
        ("ﬁve six", "at least 10"),
        ("amina.wanjiru", "your own"),
        ("Amina.Wanjiru@Example.com", "your own"),
        ("Amina-1990-Wanjiru!", "your own"),
        ("wanjiru.amina", "your own"),
        ("Lendery-2026!", "this service"),
        ("lenderyLendery1", "this service"),
    ],
)
def test_refused(password: str, reason: str) -> None:
    found = refused_because(password, about=("amina.wanjiru@example.com",))
    assert found is not None
    assert reason in found


def test_the_refusal_names_the_field_and_not_the_password() -> None:
    with pytest.raises(InvalidRequest) as refused:
        accepted("sh0rt", field="new_password")
    assert refused.value.errors[0].field == "new_password"
    assert "sh0rt" not in refused.value.detail


def test_the_bundled_list() -> None:
    assert len(COMMON_PASSWORDS) > 1300
    assert all(len(password) >= 10 and password == password.casefold() for password in COMMON_PASSWORDS)


def test_normal_form() -> None:
    assert normalised("cafe\u0301") == normalised("caf\u00e9")


def _cheap(**changes: Any) -> Passwords:
    return Passwords(Settings(env="test", auth_hash_memory_kib=8, auth_hash_rounds=1, **changes))


async def test_hashes_are_argon2id_and_salted() -> None:
    passwords = _cheap()
    first, second = await passwords.hash("the secret"), await passwords.hash("the secret")
    assert first.startswith("$argon2id$")
    assert first != second
    async with passwords.turn() as turn:
        assert (await turn.verify(first, "the secret")).right
        assert not (await turn.verify(first, "the Secret")).right
        assert not (await turn.verify(None, "the secret")).right
    passwords.close()


async def test_the_default_cost_is_what_owasp_asks_for() -> None:
    passwords = Passwords(Settings(env="test"))
    assert "m=19456,t=2,p=1" in await passwords.hash("the secret")
    passwords.close()


async def test_turns_are_bounded_and_so_is_the_queue() -> None:
    passwords = _cheap(auth_hash_threads=1, auth_hash_waiting_max=1)
    async with passwords.turn():
        waiting = asyncio.create_task(passwords.hash("the secret"))
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await passwords.hash("one too many")
        assert not waiting.done()
    assert (await waiting).startswith("$argon2id$")
    assert (await passwords.hash("room again")).startswith("$argon2id$")
    passwords.close()
