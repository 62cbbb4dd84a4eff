"""Asking a provider that does not answer: it is waited for some times, then left alone, and tried again later."""

import asyncio
from typing import Any, cast

import pytest

from services.payments.context import Context
from services.payments.providers.base import Answer, Failure, NoAnswer, Provider, Success, Unknown
from services.payments.settings import Settings
from shared.clock import SystemClock


class Asked:
    """A provider's operation: says `answer`, or nothing while that is None."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: Answer[str] | None = None

    async def __call__(self, _: Provider) -> Answer[str]:
        self.calls += 1
        if self.answer is None:
            await asyncio.sleep(60)
            raise AssertionError("nobody waits so long")
        return self.answer


@pytest.fixture
def context() -> Context:
    settings = Settings(env="test", database_url="postgresql://127.0.0.1/none", provider_timeout_seconds=0.01)
    nothing: Any = None
    return Context(settings, SystemClock(), database=nothing, providers={"p": cast(Provider, object())}, vault=nothing)


async def test_a_provider_that_hangs_does_not_keep_handlers_for_ever(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("services.payments.context.monotonic", lambda: now)
    asked = Asked()
    for _ in range(5):
        assert isinstance(await context.ask("p", asked), NoAnswer)
    for _ in range(100):
        answer = await context.ask("p", asked)
        assert type(answer) is Unknown  # which moves no money
    assert asked.calls == 5
    now += 5
    asked.answer = Success("paid")
    assert await context.ask("p", asked) == Success("paid")
    assert await context.ask("p", asked) == Success("paid")
    assert asked.calls == 7


@pytest.mark.parametrize("answer", [Failure("no", "No."), Unknown("HTTP 500"), Success("paid")])
async def test_whoever_answers_is_asked_again(context: Context, answer: Answer[str]) -> None:
    asked = Asked()
    asked.answer = answer
    for _ in range(20):
        assert await context.ask("p", asked) == answer
    assert asked.calls == 20


async def test_a_provider_that_is_not_configured_any_more_is_unknown(context: Context) -> None:
    assert type(await context.ask("gone", Asked())) is Unknown
