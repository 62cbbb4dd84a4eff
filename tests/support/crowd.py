"""Many people who move money at once through the gateway, and remember what they were promised.

What they were promised is then compared with what there is: each operation that was acknowledged exists once, every wallet
holds what its owner's operations say, and the money in the ledger is the money at the provider.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
import httpx

from runtime.demo.client import Json, Person
from shared.clock import SystemClock
from shared.webhooks import HEADER, sign

CURRENCY = "KES"
_CLICKS = 3
_UNSETTLED = {"pending", "processing"}


@dataclass
class Promises:
    """What the platform has said to one person; operations by their ids."""

    deposits: dict[str, Json] = field(default_factory=dict)
    transfers: dict[str, Json] = field(default_factory=dict)
    withdrawals: dict[str, Json] = field(default_factory=dict)
    investments: dict[str, Json] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)


class Member(Person):
    """One of the crowd. Clicks twice, sends again what was answered already, and never believes to have failed."""

    def __init__(self, http: httpx.AsyncClient, number: int, chance: random.Random, sandbox_secret: str) -> None:
        super().__init__(http, f"crowd-{number}-{uuid4().hex[:8]}@lendery.test", "a-long-test-password", f"Member {number}")
        self.chance = chance
        self.promises = Promises()
        self.wallet_id = ""
        self._sandbox_secret = sandbox_secret

    async def join(self) -> None:
        """Open an account and log in."""
        await self.register()
        await self.log_in()
        self.wallet_id = (await self.wallet(CURRENCY))["id"]

    async def click(self, path: str, body: Json) -> Json | None:
        """The same request some times at once, and once more afterwards; what was answered, or None when it was refused.

        Whatever is answered must be answered always: one id, or one refusal.
        """
        key = str(uuid4())

        async def send() -> tuple[int, Json]:
            for _ in range(600):
                answer = await self.send("POST", path, body, key=key)
                if answer.status_code == 409 and answer.json()["code"] == "idempotency_key_in_use":
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 503 and "Retry-After" in answer.headers:
                    await asyncio.sleep(float(answer.headers["Retry-After"]))  # too much at once; the same key again
                    continue
                assert answer.status_code < 500, answer.text
                return answer.status_code, answer.json()
            raise AssertionError(f"{path}: the key stayed in use")

        answers = await asyncio.gather(*(send() for _ in range(_CLICKS)))
        answers.append(await send())
        assert len({(status, answer.get("id"), answer.get("code")) for status, answer in answers}) == 1, answers
        status, answer = answers[0]
        if status < 300:
            return answer
        self.promises.refusals[answer["code"]] += 1
        return None

    async def pay_in(self, amount: int, outcome: str = "approve") -> None:
        """A deposit, its page's button pressed twice, its webhooks sent over and over."""
        body = {"wallet_id": self.wallet_id, "amount": amount, "currency": CURRENCY, "provider": "sandbox"}
        deposit = await self.click("/v1/deposits", body)
        assert deposit is not None
        self.promises.deposits[deposit["id"]] = deposit
        press = {"outcome": outcome}
        await asyncio.gather(*(self.http.post(deposit["checkout_url"], data=press) for _ in range(2)))
        await self._shout(f"dep_{deposit['id'].replace('-', '')}", amount)

    async def _shout(self, reference: str, amount: int) -> None:
        """Signed webhooks that claim a payment: one event many times, and other events about the same."""
        repeated = f"evt_{uuid4().hex}"
        for event_id in (repeated, repeated, f"evt_{uuid4().hex}"):
            data = {"id": str(uuid4()), "reference": reference, "status": "succeeded", "amount": amount, "currency": CURRENCY}
            body = json.dumps({"id": event_id, "type": "payment.succeeded", "data": data}).encode()
            headers = {HEADER: sign(self._sandbox_secret, SystemClock().now(), body), "content-type": "application/json"}
            answer = await self.http.post("/v1/webhooks/sandbox", content=body, headers=headers)
            assert answer.status_code == 200, answer.text

    async def send_money(self, to: "Member", amount: int) -> None:
        """A transfer."""
        body = {"from_wallet_id": self.wallet_id, "to": {"wallet_id": to.wallet_id}, "amount": amount, "currency": CURRENCY}
        if transfer := await self.click("/v1/transfers", body):
            self.promises.transfers[transfer["id"]] = transfer

    async def take_out(self, amount: int, account: str, *, cancel: bool = False) -> None:
        """A withdrawal, perhaps taken back at once."""
        body = {
            "wallet_id": self.wallet_id,
            "amount": amount,
            "currency": CURRENCY,
            "provider": "sandbox",
            "destination": {"account": account},
        }
        withdrawal = await self.click("/v1/withdrawals", body)
        assert withdrawal is not None
        self.promises.withdrawals[withdrawal["id"]] = withdrawal
        if cancel:
            answer = await self.send("POST", f"/v1/withdrawals/{withdrawal['id']}/cancel")
            assert answer.status_code in (202, 409), answer.text

    async def lend(self, loan_id: str, amount: int) -> None:
        """An investment."""
        if investment := await self.click(f"/v1/loans/{loan_id}/investments", {"wallet_id": self.wallet_id, "amount": amount}):
            self.promises.investments[investment["id"]] = investment

    async def settle(self, seconds: float) -> None:
        """Wait until everything has ended, and note how."""
        deadline = time.monotonic() + seconds
        promises = self.promises
        for path, noted in (("/v1/deposits", promises.deposits), ("/v1/withdrawals", promises.withdrawals)):
            for one in noted:
                noted[one] = await self._until(deadline, f"{path}/{one}", lambda found: found["status"] not in _UNSETTLED)
        for one in promises.investments:

            async def look(wanted: str = one) -> Json:
                items = (await self.call("GET", "/v1/investments", limit=200))["items"]
                return next(dict(item) for item in items if item["id"] == wanted)

            promises.investments[one] = await self._looked(
                deadline, look, lambda found: found["status"] in ("active", "rejected")
            )

    async def _until(self, deadline: float, path: str, ended: Callable[[Json], bool]) -> Json:
        return await self._looked(deadline, lambda: self.call("GET", path), ended)

    async def _looked(self, deadline: float, look: Callable[[], Awaitable[Json]], ended: Callable[[Json], bool]) -> Json:
        while not ended(found := await look()):
            assert time.monotonic() < deadline, f"this does not end: {found}"
            await asyncio.sleep(0.1)
        return found


async def busy_life(member: Member, neighbours: Iterable[Member], rounds: int) -> None:
    """So many rounds of everything that one can do with money, in an order of chance."""
    others = [other for other in neighbours if other is not member]
    chance = member.chance

    async def one(deed: int) -> None:
        amount = chance.randrange(1, 900_00)
        match deed % 8:
            case 0:
                await member.pay_in(amount, "approve")
            case 1:
                await member.pay_in(amount, "decline")
            case 2 | 3 | 4:
                await member.send_money(others[deed % len(others)], amount)
            case 5:
                account = chance.choice(("good", "good", "fail-", "slow-"))
                await member.take_out(amount, f"{account}{member.wallet_id[:8]}")
            case 6:
                await member.take_out(amount, "taken-back", cancel=True)
            case 7:
                await member.take_out(10_000_000_00, "far-too-much")
                await member.send_money(others[0], 10_000_000_00)

    for _ in range(rounds):
        deeds = list(range(8))
        chance.shuffle(deeds)
        for first, second in zip(deeds[::2], deeds[1::2], strict=True):
            await asyncio.gather(one(first), one(second))


async def check_conserved(crowd: list[Member], admin: Person, owner: asyncpg.Connection) -> None:
    """Every promise was kept once, and no minor unit was made or lost."""
    await _check_books(admin)
    fees = await _check_provider(crowd, owner)
    await _check_each_once(crowd, owner)
    for member in crowd:
        await _check_wallet(member, crowd, fees)


async def _check_books(admin: Person) -> None:
    report = await admin.call("POST", "/v1/admin/ledger/verify")
    assert report["sound"], report["faults"]
    balance = await admin.call("GET", "/v1/admin/ledger/trial-balance")
    assert balance["balanced"]
    (total,) = balance["totals"]
    assert total["pending_debits"] == total["pending_credits"] == 0
    assert sum(line["balance"] for line in balance["lines"]) == 0


async def _check_provider(crowd: list[Member], owner: asyncpg.Connection) -> int:
    """What the provider has taken and paid is what the ledger says it holds for us; the fees that the platform earned."""
    taken = await owner.fetchval("SELECT coalesce(sum(amount_minor), 0) FROM sandbox.payments WHERE status = 'succeeded'")
    paid = await owner.fetchval("SELECT coalesce(sum(amount_minor), 0) FROM sandbox.payouts WHERE status = 'succeeded'")
    kinds: dict[str, int] = {
        row["kind"]: int(row["balance"])
        for row in await owner.fetch(
            "SELECT split_part(address, ':', 1) AS kind, sum(credits_posted_minor - debits_posted_minor) AS balance"
            " FROM wallet_ledger.accounts GROUP BY 1"
        )
    }
    assert kinds["provider"] == -(taken - paid)
    assert kinds.get("suspense", 0) == kinds.get("loan", 0) == 0
    assert kinds["wallet"] + kinds.get("fees", 0) + kinds.get("reserve", 0) == taken - paid
    said_in = sum(one["amount"] for m in crowd for one in m.promises.deposits.values() if one["status"] == "succeeded")
    said_out = sum(one["amount"] for m in crowd for one in m.promises.withdrawals.values() if one["status"] == "completed")
    assert (said_in, said_out) == (taken, paid)
    lowest = await owner.fetchval(
        "SELECT min(least(x.debit_balance_after_minor, x.debit_balance_after_minor - x.debit_pending_after_minor))"
        " FROM wallet_ledger.transfers x JOIN wallet_ledger.accounts a ON a.id = x.debit_account_id"
        " WHERE a.address LIKE 'wallet:%'"
    )
    assert lowest is None or lowest >= 0
    return kinds.get("fees", 0) + kinds.get("reserve", 0)


async def _check_each_once(crowd: list[Member], owner: asyncpg.Connection) -> None:
    transfers = {one for member in crowd for one in member.promises.transfers}
    found = await owner.fetch("SELECT id FROM wallet_ledger.transactions WHERE kind = 'transfer' AND status = 'posted'")
    assert {str(row["id"]) for row in found} == transfers
    for table in ("deposits", "withdrawals"):
        promised = {one for member in crowd for one in getattr(member.promises, table)}
        assert {str(row["id"]) for row in await owner.fetch(f"SELECT id FROM payments.{table}")} == promised
    dead = [
        f"{schema}: {row['type']} {row['error']}"
        for schema in ("auth", "wallet_ledger", "lending", "payments", "notifications")
        for row in await owner.fetch(f"SELECT type, error FROM {schema}.dead_letters")
    ]
    assert dead == []


async def _check_wallet(member: Member, crowd: list[Member], fees: int) -> None:
    promises = member.promises
    expected = sum(one["amount"] for one in promises.deposits.values() if one["status"] == "succeeded")
    expected -= sum(one["amount"] for one in promises.withdrawals.values() if one["status"] == "completed")
    expected -= sum(one["amount"] for one in promises.transfers.values())
    expected -= sum(one["amount"] for one in promises.investments.values() if one["status"] == "active")
    for other in crowd:
        came = (one for one in other.promises.transfers.values() if one["to_wallet_id"] == member.wallet_id)
        expected += sum(one["amount"] for one in came)
    if member is crowd[0]:  # the borrower
        lent = sum(one["amount"] for m in crowd for one in m.promises.investments.values() if one["status"] == "active")
        expected += lent - fees if lent else 0
    wallet = await member.wallet(CURRENCY)
    assert (wallet["balance"], wallet["held"]) == (expected, 0), member.email


async def open_loan(borrower: Member, admin: Person, amount: int) -> str:
    """A loan of the borrower's that lenders can fund now."""
    loan = await borrower.call(
        "POST",
        "/v1/loans",
        {
            "amount": amount,
            "currency": CURRENCY,
            "term_months": 12,
            "purpose": "Something useful",
            "wallet_id": borrower.wallet_id,
            "financials": {"employment_status": "employed", "annual_income": 960_000_00, "monthly_obligations": 0},
        },
    )
    await admin.call("POST", f"/v1/admin/loans/{loan['id']}/approve")
    return str(loan["id"])


async def identify(members: Iterable[Member], admin: Person) -> None:
    """Approve everybody's identity."""

    async def one(member: Member) -> None:
        submission = await member.hand_in_kyc(uuid4().hex[:10].upper())
        await admin.call("POST", f"/v1/admin/kyc/{submission}/approve")

    await asyncio.gather(*(one(member) for member in members))


def refusals_of(crowd: Iterable[Member]) -> Counter[str]:
    """How often everybody was refused, by code."""
    found: Counter[str] = Counter()
    for member in crowd:
        found += member.promises.refusals
    return found
