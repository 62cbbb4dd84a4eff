"""The main job, through the gateway, on both transports: from four registrations to a repaid loan and a ledger that verifies.
Where each service has a process of its own, somebody also comes and leaves: a second platform of eight would take half a minute.

The story's own steps are the demo's; what must be true of its figures is worked out here from the amounts alone.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime.demo.story import CURRENCY, LOAN_MINOR, PAID_EARLY, PAID_LATE, TERM_MONTHS, Outcome, Story
from tests.journeys.test_leaving import leave
from tests.support.platforms import RunningPlatform, one_process, process_a_service, remove_queues
from tests.support.ports import free_port

ADMIN = ("admin@lendery.test", "admin-local-only")


@dataclass
class Listener:
    """A narrator who remembers."""

    told: list[str] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        self.told.append(f"== {title}")

    def tell(self, text: str) -> None:
        self.told.append(text)

    def refuse(self, text: str) -> None:
        self.told.append(f"refused: {text}")

    def balances(self, wallets: Any) -> None:
        for name, wallet in wallets:
            assert 0 <= wallet["available"] <= wallet["balance"], name
            assert wallet["balance"] == wallet["available"] + wallet["held"], name

    def finish(self, outcome: Outcome) -> None:
        pass


class Letters:
    """A real SMTP server that counts what reaches whom."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        for recipient in envelope.rcpt_tos:
            self.count[recipient] = self.count.get(recipient, 0) + 1
        return "250 OK"


@contextmanager
def smtp_server() -> Iterator[tuple[Letters, int]]:
    letters = Letters()
    port = free_port()
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield letters, port
    finally:
        controller.stop()


async def play(platform: RunningPlatform) -> tuple[Story, Outcome]:
    async with httpx.AsyncClient(base_url=platform.url, timeout=60, trust_env=False) as http:
        story = Story(http, Listener(), "journey", *ADMIN)
        return story, await story.play()


def check(story: Story, outcome: Outcome) -> None:
    """What must be true of the story, whatever the rates and fees are."""
    assert outcome.loan["status"] == "repaid"
    assert outcome.loan["outstanding_principal"] == 0
    _check_schedule(outcome)
    _check_lenders(outcome)
    _check_wallets(story, outcome)
    assert len(outcome.refusals) == 4
    assert outcome.verification["sound"], outcome.verification["faults"]
    assert outcome.trial_balance["balanced"]
    (total,) = outcome.trial_balance["totals"]
    assert total["currency"] == CURRENCY
    assert total["debits"] == total["credits"] > 0
    assert total["pending_debits"] == total["pending_credits"] == 0
    assert all(count >= 8 for count in outcome.notices.values()), outcome.notices


def _check_schedule(outcome: Outcome) -> None:
    assert [row["status"] for row in outcome.schedule] == ["paid"] * TERM_MONTHS
    assert sum(row["principal"] for row in outcome.schedule) == LOAN_MINOR
    assert all(row["paid"] == row["total"] for row in outcome.schedule)
    assert sum(row["total"] for row in outcome.schedule) == sum(paid["amount"] for paid in outcome.repayments)
    fees = [row["fees"] for row in outcome.schedule]
    assert fees[PAID_LATE - 1] > 0
    assert sum(fees) == fees[PAID_LATE - 1]
    usual = outcome.schedule[0]["total"]
    assert outcome.schedule[PAID_EARLY - 1]["total"] == usual
    for paid in outcome.repayments:
        assert paid["status"] == "completed"
        assert paid["amount"] == paid["principal"] + paid["interest"] + paid["fees"]


def _check_lenders(outcome: Outcome) -> None:
    """Principal and interest reach the lenders to the minor unit, each in proportion to what was lent."""
    investments = list(outcome.investments.values())
    assert sum(one["amount"] for one in investments) == LOAN_MINOR
    assert all(one["principal_received"] == one["amount"] for one in investments)
    interest = sum(paid["interest"] for paid in outcome.repayments)
    assert sum(one["interest_received"] for one in investments) == interest
    for one in investments:
        fair = interest * one["amount"] / LOAN_MINOR
        assert abs(one["interest_received"] - fair) <= TERM_MONTHS
        assert 0 < one["service_fees"] <= one["interest_received"] * 0.10


def _check_wallets(story: Story, outcome: Outcome) -> None:
    """Every wallet holds what the story says: what came in, less what went out."""
    borrower, (one, two, three) = story.borrower.email, [lender.email for lender in story.lenders]
    earned = {
        email: investment["interest_received"] - investment["service_fees"] for email, investment in outcome.investments.items()
    }
    expected = {
        one: 60_000_00 + earned[one] - 20_000_00,
        two: 75_000_00 + earned[two] - 1_234_56,
        three: 30_000_00 + 10_000_00 + earned[three],
    }
    for email, balance in expected.items():
        assert outcome.wallets[email]["balance"] == balance, email
        assert outcome.wallets[email]["held"] == 0, email
    paid = sum(repayment["amount"] for repayment in outcome.repayments)
    fees = 20_000_00 + LOAN_MINOR + 1_234_56 - paid - outcome.wallets[borrower]["balance"]
    assert fees == LOAN_MINOR * 3 // 100  # origination fee and reserve contribution


async def test_in_one_process(database_url: str, tmp_path: Path) -> None:
    with one_process(database_url, tmp_path) as platform:
        story, outcome = await play(platform)
        check(story, outcome)
        assert all(count >= 8 for count in outcome.letters.values()), outcome.letters
        assert platform.stop() == [0]


@pytest.mark.rabbitmq
async def test_with_a_process_for_each_service(database_url: str, amqp_url: str, tmp_path: Path) -> None:
    with smtp_server() as (letters, port), process_a_service(database_url, amqp_url, tmp_path, port) as platform:
        try:
            story, outcome = await play(platform)
            check(story, outcome)
            async with httpx.AsyncClient(base_url=platform.url, timeout=60, trust_env=False) as http:
                await leave(http, database_url, tmp_path)
            await _until(lambda: all(letters.count.get(person.email, 0) >= 8 for person in story.people))
        finally:
            codes = platform.stop()
            await remove_queues(amqp_url, platform.environment["LENDERY_AMQP_PREFIX"])
        assert codes == [0] * len(codes)


async def _until(reached: Callable[[], bool], *, seconds: float = 120) -> None:
    for _ in range(int(seconds * 20)):
        if reached():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")
