"""Tokens that were good a moment ago are remembered, and no others."""

import time

import pytest

from shared.identity.authenticator import REMEMBER_SECONDS, Authenticator
from shared.identity.principal import Principal
from shared.ids import new_id
from shared.problems import Unauthenticated
from tests.support.identity import OneKeyVerifier, access_token


class _Counting(OneKeyVerifier):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def verify(self, token: str) -> Principal:
        self.asked += 1
        return await super().verify(token)


async def test_a_good_token_is_verified_once_in_half_a_minute() -> None:
    verifier, now = _Counting(), [0.0]
    authenticator = Authenticator(verifier, now=lambda: now[0])
    user_id = new_id()
    token = access_token(user_id)
    for now[0] in (0.0, 1.0, REMEMBER_SECONDS - 1):
        assert (await authenticator.verify(token)).user_id == user_id
    assert verifier.asked == 1
    now[0] = REMEMBER_SECONDS + 1
    await authenticator.verify(token)
    assert verifier.asked == 2


async def test_a_bad_token_is_refused_each_time() -> None:
    verifier = _Counting()
    authenticator = Authenticator(verifier)
    good = access_token(new_id())
    bad = good[:-4] + "AAAA"
    await authenticator.verify(good)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.verify(bad)
    assert verifier.asked == 3
    assert authenticator.remembered(bad) is None


async def test_a_token_is_not_remembered_beyond_its_end() -> None:
    verifier = _Counting()
    token = access_token(new_id(), age_seconds=890)  # ten seconds left
    started = time.time()
    now = [started]
    authenticator = Authenticator(verifier, now=lambda: now[0])
    await authenticator.verify(token)
    now[0] = started + 8
    assert authenticator.remembered(token) is not None
    now[0] = started + 11
    assert authenticator.remembered(token) is None
