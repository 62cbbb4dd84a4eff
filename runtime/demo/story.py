"""The lending story from the first registration to the last repayment, through the public API only.

Every step tells the narrator what happened and lets it look at the wallets. `Story.play` returns what the tests check.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

import httpx

from runtime.demo.client import Json, Person, Refused

CURRENCY = "KES"
PASSWORD = "a-long-demo-password"  # noqa: S105

LOAN_MINOR = 120_000_00
TERM_MONTHS = 6
PAID_EARLY, EARLY_DAYS = 2, 9
PAID_LATE, LATE_DAYS = 4, 7


class Narrator(Protocol):
    """Tells the story to somebody."""

    def chapter(self, title: str) -> None:
        """A new part begins."""

    def tell(self, text: str) -> None:
        """Something happened."""

    def refuse(self, text: str) -> None:
        """Something was refused, as it should be."""

    def balances(self, wallets: Sequence[tuple[str, Json]]) -> None:
        """Who has how much now."""

    def finish(self, outcome: "Outcome") -> None:
        """The end: the loan beside what each lender received, and the books."""


@dataclass
class Outcome:
    """What the story came to; amounts in minor units."""

    loan: Json = field(default_factory=dict)
    schedule: list[Json] = field(default_factory=list)
    repayments: list[Json] = field(default_factory=list)
    investments: dict[str, Json] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    letters: dict[str, int] = field(default_factory=dict)
    notices: dict[str, int] = field(default_factory=dict)
    wallets: dict[str, Json] = field(default_factory=dict)
    trial_balance: Json = field(default_factory=dict)
    verification: Json = field(default_factory=dict)


class Story:
    """One performance. `token` makes its people's addresses new, so that it can be played again on the same platform."""

    def __init__(self, http: httpx.AsyncClient, narrator: Narrator, token: str, admin_email: str, admin_password: str) -> None:
        self._http = http
        self._narrator = narrator
        self.borrower = self._person("borrower", token, "Demo Borrower")
        self.lenders = [self._person(f"lender-{number}", token, f"Demo Lender {number}") for number in (1, 2, 3)]
        self.admin = Person(http, admin_email, admin_password, "Administrator")
        self.outcome = Outcome()

    def _person(self, role: str, token: str, full_name: str) -> Person:
        return Person(self._http, f"{role}-{token}@lendery.test", PASSWORD, full_name)

    @property
    def people(self) -> list[Person]:
        """The borrower and the lenders."""
        return [self.borrower, *self.lenders]

    async def play(self) -> Outcome:
        """The whole story."""
        await self.meet()
        await self.identify()
        await self.save()
        loan_id = await self.apply()
        await self.fund(loan_id)
        await self.repay(loan_id)
        await self.send_and_withdraw()
        await self.close_the_books(loan_id)
        self._narrator.finish(self.outcome)
        return self.outcome

    async def meet(self) -> None:
        """Everybody opens an account, confirms the address and logs in."""
        self._narrator.chapter("Four people open accounts")
        for person in self.people:
            await person.register()
            await person.log_in()
            if not (await person.call("GET", "/v1/me"))["email_verified"]:
                await person.confirm_email()
            self._narrator.tell(f"{person.full_name} registers as {person.email}, and has a wallet in {CURRENCY}.")
        await self.admin.log_in()

    async def identify(self) -> None:
        """Everybody hands in identity details; the administrator approves them."""
        self._narrator.chapter("They show who they are")
        for number, person in enumerate(self.people, 1):
            submission = await person.hand_in_kyc(f"DEMO-{number:04}")
            await self.admin.call("POST", f"/v1/admin/kyc/{submission}/approve")
            self._narrator.tell(f"{person.full_name} hands in a passport; an administrator approves it.")

    async def save(self) -> None:
        """Everybody pays money in; one payment is declined."""
        self._narrator.chapter("Money comes in through the payment provider")
        sums = (20_000_00, 60_000_00, 75_000_00, 30_000_00)
        for person, amount in zip(self.people, sums, strict=True):
            deposit = await person.deposit(amount, CURRENCY)
            self._narrator.tell(f"{person.full_name} pays in {money(amount)}: {deposit['status']}.")
        declined = await self.lenders[2].deposit(99_00, CURRENCY, outcome="decline")
        self._refused(f"A card is declined at the provider's page: the deposit is {declined['status']}.")
        await self._look()

    async def apply(self) -> str:
        """The borrower applies and the administrator approves; the loan's id."""
        self._narrator.chapter("A loan is applied for")
        wallet = await self.borrower.wallet(CURRENCY)
        loan = await self.borrower.call(
            "POST",
            "/v1/loans",
            {
                "amount": LOAN_MINOR,
                "currency": CURRENCY,
                "term_months": TERM_MONTHS,
                "purpose": "A second sewing machine",
                "wallet_id": wallet["id"],
                "financials": {
                    "employment_status": "self_employed",
                    "annual_income": 960_000_00,
                    "monthly_obligations": 9_000_00,
                },
            },
        )
        self._narrator.tell(
            f"{self.borrower.full_name} asks for {money(LOAN_MINOR)} over {TERM_MONTHS} months: "
            f"grade {loan['risk_grade']}, {percent(loan['annual_rate'])} a year."
        )
        await self.admin.call("POST", f"/v1/admin/loans/{loan['id']}/approve")
        self._narrator.tell("An administrator approves it: lenders can fund it now.")
        return str(loan["id"])

    async def fund(self, loan_id: str) -> None:
        """Three lenders fund the loan with odd amounts; one has too little at first, one comes too late."""
        self._narrator.chapter("Three lenders fund it")
        one, two, three = self.lenders
        await self._invest(one, loan_id, 33_333_33)
        await self._invest(two, loan_id, 47_001_07)
        rest = LOAN_MINOR - 33_333_33 - 47_001_07
        short = await three.invest(loan_id, rest, CURRENCY)
        self._refused(f"{three.full_name} offers {money(rest)} but has less: {short['status']}, {short['failure_code']}.")
        await three.deposit(10_000_00, CURRENCY)
        await self._invest(three, loan_id, rest)
        try:
            await one.invest(loan_id, 1_000_00, CURRENCY)
        except Refused as refused:
            self._refused(f"{one.full_name} would like to add more, too late: {refused.code}.")
        loan = await self.borrower.until_settled(f"/v1/loans/{loan_id}", {"funding", "disbursing"})
        self._narrator.tell(f"The loan is {loan['status']}: the money, less fees, is in the borrower's wallet.")
        await self._look()

    async def _invest(self, lender: Person, loan_id: str, amount: int) -> None:
        investment = await lender.invest(loan_id, amount, CURRENCY)
        self._narrator.tell(f"{lender.full_name} puts in {money(amount)}: {investment['status']}.")

    async def repay(self, loan_id: str) -> None:
        """Month by month: business is closed and the installment paid; one early, one late."""
        self._narrator.chapter("Months pass, and the loan is repaid")
        for number in range(1, TERM_MONTHS + 1):
            installment = (await self.borrower.schedule(loan_id))[number - 1]
            due_on = date.fromisoformat(installment["due_on"])
            day, when = due_on, "on time"
            if number == PAID_EARLY:
                day, when = due_on - timedelta(days=EARLY_DAYS), f"{EARLY_DAYS} days early"
            elif number == PAID_LATE:
                day, when = due_on + timedelta(days=LATE_DAYS), f"{LATE_DAYS} days late"
            await self.admin.close_business(day)
            installment = (await self.borrower.schedule(loan_id))[number - 1]
            repayment = await self.borrower.repay(loan_id, installment["total"] - installment["paid"], CURRENCY)
            self.outcome.repayments.append(repayment)
            self._narrator.tell(
                f"{day}: installment {number} is paid {when}: {money(repayment['amount'])} = principal "
                f"{money(repayment['principal'])} + interest {money(repayment['interest'])} + fees {money(repayment['fees'])}."
            )
        loan = await self.borrower.call("GET", f"/v1/loans/{loan_id}")
        self._narrator.tell(f"The loan is {loan['status']}.")
        await self._look()

    async def send_and_withdraw(self) -> None:
        """A lender thanks the borrower; another takes money out, once successfully and once not."""
        self._narrator.chapter("Money moves on")
        one, two, _ = self.lenders
        wallet = await two.wallet(CURRENCY)
        sent = await two.call(
            "POST",
            "/v1/transfers",
            {
                "from_wallet_id": wallet["id"],
                "to": {"email": self.borrower.email},
                "amount": 1_234_56,
                "currency": CURRENCY,
                "description": "For the thread",
            },
        )
        self._narrator.tell(f"{two.full_name} sends {money(1_234_56)} to {self.borrower.email}: {sent['status']}.")
        paid = await one.withdraw(20_000_00, CURRENCY, "0123456789")
        self._narrator.tell(f"{one.full_name} withdraws {money(20_000_00)} to a bank account: {paid['status']}.")
        failed = await one.withdraw(5_000_00, CURRENCY, "fail-0123456789")
        self._refused(f"Another withdrawal cannot be paid out: {failed['status']}. The money is back in the wallet.")
        await self._look()

    async def close_the_books(self, loan_id: str) -> None:
        """What everybody was told, and whether the books add up."""
        self._narrator.chapter("The books")
        outcome = self.outcome
        outcome.loan = await self.borrower.call("GET", f"/v1/loans/{loan_id}")
        outcome.schedule = await self.borrower.schedule(loan_id)
        for lender in self.lenders:
            found = (await lender.call("GET", "/v1/investments", loan_id=loan_id))["items"]
            outcome.investments[lender.email] = next(item for item in found if item["status"] == "completed")
        for person in self.people:
            outcome.wallets[person.email] = await person.wallet(CURRENCY)
            outcome.letters[person.email] = await person.letters()
            outcome.notices[person.email] = len((await person.call("GET", "/v1/notifications", limit=200))["items"])
        outcome.trial_balance = await self.admin.call("GET", "/v1/admin/ledger/trial-balance")
        outcome.verification = await self.admin.call("POST", "/v1/admin/ledger/verify")

    def _refused(self, text: str) -> None:
        self.outcome.refusals.append(text)
        self._narrator.refuse(text)

    async def _look(self) -> None:
        self._narrator.balances([(person.full_name, await person.wallet(CURRENCY)) for person in self.people])


def money(amount_minor: int) -> str:
    """An amount of `CURRENCY` for people to read."""
    return f"{CURRENCY} {amount_minor // 100:,}.{amount_minor % 100:02}"


def percent(rate: str) -> str:
    """A rate as people read it: 0.1850 is 18.50 %."""
    return f"{float(rate) * 100:.2f} %"
