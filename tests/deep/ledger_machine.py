"""A machine that does anything to the real ledger service, many clients at once, and compares it with the plain model.

Requests of one burst race: nobody knows beforehand in which order they will be taken. The journal says it afterwards. The
model then takes them in that order, and must come to the same outcome for each, the same balances, and the same answers to
the clients. So whatever a race did, it did what some order of single requests would have done, and nothing else.
"""

import asyncio
import json
import traceback
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from services.wallet_ledger.commands.expire_holds import expire_holds
from services.wallet_ledger.commands.post_transaction import transaction_of
from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.domain.entries import ExpireHold, Transfer
from services.wallet_ledger.domain.transaction import Transaction
from shared.contracts.wallet_ledger import transaction_commands as wire
from shared.idempotency.keys import fingerprint
from shared.ids import new_id
from tests.deep.ledger_stage import Stage
from tests.unit.wallet_ledger.ledger_model import Model

PEOPLE, LOAN, YEN, PROVIDER, NOBODY = 4, 4, 5, 6, 7
HOLDS, HISTORY = 12, 200
_SAID_BY_HTTP = {
    "same_account": "same_wallet",
    "account_frozen": "wallet_frozen",
    "account_closed": "wallet_closed",
    "maximum_balance_exceeded": "limit_exceeded",
    "daily_debit_limit_exceeded": "limit_exceeded",
    "refused": "idempotency_key_reused",
}

accounts = st.sampled_from([0, 1, 2, 3, 0, 1, 2, 3, LOAN, PROVIDER, PROVIDER, YEN, NOBODY])
amounts = st.integers(1, 60)
hold_numbers = st.integers(0, HOLDS - 1)
groups = st.sampled_from(["a", "b"])
keys = st.none() | st.integers(0, 5)
entries = st.one_of(
    st.tuples(st.just("transfer"), accounts, accounts, amounts),
    st.tuples(st.just("hold"), hold_numbers, accounts, accounts, amounts, st.none() | groups, st.sampled_from([None, None, 20])),
    st.tuples(st.just("post"), hold_numbers, st.none() | amounts),
    st.tuples(st.just("void"), hold_numbers),
    st.tuples(st.just("post group"), groups),
    st.tuples(st.just("void group"), groups),
)
requests = st.one_of(
    st.tuples(st.just("pay"), st.integers(0, PEOPLE - 1), st.sampled_from([0, 1, 2, 3, YEN, NOBODY]), amounts, keys),
    st.tuples(st.just("command"), st.sampled_from(["payments", "lending"]), keys, st.lists(entries, min_size=1, max_size=4)),
    st.tuples(st.just("again"), st.integers(0, HISTORY), st.sampled_from(["same", "same", "other content", "other key"])),
)


@dataclass(frozen=True)
class Ask:
    """One request as a client sends it, and the transaction that it means: either a user's payment or a service's command.

    `borrowed_id`: its transaction's id belongs to another transaction.
    """

    meant: Transaction
    user: UUID | None = None
    body: str = ""
    message: wire.PostTransaction | None = None
    borrowed_id: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What it is once only for."""
        return self.meant.scope, self.meant.idempotency_key


class LedgerMachine(RuleBasedStateMachine):
    """Some people with wallets, a loan and a provider of their own, on a ledger that others have used before."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.users = [new_id() for _ in range(PEOPLE)]
        self.wallets = [stage.run(stage.open_wallet(user, "KES")) for user in self.users]
        self.wallets += [UUID(int=0), stage.run(stage.open_wallet(self.users[0], "JPY")), UUID(int=0), new_id()]
        self.addresses = [f"wallet:{wallet}" for wallet in self.wallets]
        self.addresses[LOAN] = f"loan:{new_id()}:funding"
        self.addresses[PROVIDER] = f"provider:p{new_id()}:KES"
        self.holds = [new_id() for _ in range(HOLDS)]
        self.mark = str(new_id())
        currencies = dict.fromkeys(self.addresses[:NOBODY], "KES") | {self.addresses[YEN]: "JPY"}
        self.model = Model(currencies, frozenset({self.addresses[PROVIDER]}), stage.clock.now())
        self.history: list[Ask] = []
        opening: list[wire.Entry] = [self._transfer(PROVIDER, account, 100) for account in (0, 1, 2, 3, LOAN)]
        self._race([self._ask_command("payments", None, opening)])

    @rule(wanted=st.lists(requests, min_size=1, max_size=30))
    def burst(self, wanted: list[tuple[Any, ...]]) -> None:
        """Many clients at once."""
        self._race([ask for one in wanted for ask in self._asks(one)])

    @rule(wanted=requests, times=st.integers(2, 20))
    def the_same_at_once(self, wanted: tuple[Any, ...], times: int) -> None:
        """An impatient client: one request several times, through both processes."""
        self._race([ask for ask in self._asks(wanted) for _ in range(times)])

    @rule(number=hold_numbers, amount=st.none() | amounts)
    def settle_a_hold_from_all_sides(self, number: int, amount: int | None) -> None:
        """Posts, voids and the sweep race for one hold: exactly one wins."""
        ways = [("post", number, amount), ("void", number), ("post", number, None), ("void group", "a")]
        self._race([self._ask_command("lending", None, [self._entry(way)]) for way in ways], expiring=True)

    @rule(number=hold_numbers, account=st.integers(0, LOAN), amount=st.none() | amounts, sweeping=st.booleans())
    def a_deadline_is_missed(self, number: int, account: int, amount: int | None, sweeping: bool) -> None:
        """A hold is settled from all sides just when its deadline has come; the sweep runs beside that, or is late."""
        self.holds[number] = new_id()
        hold = ("hold", number, PROVIDER, account, 60, "a", 20)
        self._race([self._ask_command("lending", None, [self._entry(hold)])])
        self.stage.wait(20)
        self.model.now = self.stage.clock.now()
        ways = [("post", number, amount), ("void", number), ("post group", "a")]
        self._race([self._ask_command("lending", None, [self._entry(way)]) for way in ways], expiring=sweeping)

    @rule(seconds=st.sampled_from([5, 30, 43_200]), wanted=st.lists(requests, max_size=20), sweeping=st.booleans())
    def time_passes(self, seconds: int, wanted: list[tuple[Any, ...]], sweeping: bool) -> None:
        """Deadlines come, days end; the sweep of holds runs beside requests, or is late."""
        self.stage.wait(seconds)
        self.model.now = self.stage.clock.now()
        self._race([ask for one in wanted for ask in self._asks(one)], expiring=sweeping)

    @rule(account=st.integers(0, LOAN), status=st.sampled_from(["open", "open", "frozen", "closed"]))
    def change_a_status(self, account: int, status: str) -> None:
        """An operator freezes an account, closes it, or opens it again."""
        address = self.addresses[account]
        self._set(address, "status", status)
        for name, those in (("frozen", self.model.frozen), ("closed", self.model.closed)):
            (those.add if status == name else those.discard)(address)

    @rule(account=st.integers(0, LOAN), limit=st.none() | st.integers(50, 200), which=st.booleans())
    def change_a_limit(self, account: int, limit: int | None, which: bool) -> None:
        """An operator sets how much an account may hold, or give in one day."""
        address = self.addresses[account]
        column, limits = (
            ("maximum_balance_minor", self.model.maximums) if which else ("daily_debit_limit_minor", self.model.daily_limits)
        )
        self._set(address, column, limit)
        limits.pop(address, None)
        if limit is not None:
            limits[address] = limit

    @rule()
    def seal(self) -> None:
        """The background job."""
        self.stage.run(seal_blocks(self.stage.contexts[0]))

    def _set(self, address: str, column: str, value: object) -> None:
        statement = f"UPDATE wallet_ledger.accounts SET {column} = $2 WHERE address = $1"
        assert self.stage.run(self.stage.owner.execute(statement, address, value)) == "UPDATE 1"
        self.stage.operations += 1

    # Requests.

    def _asks(self, wanted: tuple[Any, ...]) -> list[Ask]:
        match wanted:
            case ("pay", person, account, amount, key):
                return [self._ask_payment(person, account, amount, key)]
            case ("command", source, key, those):
                return [self._ask_command(source, key, [self._entry(one) for one in those])]
            case ("again", which, how) if self.history:
                return [self._ask_again(self.history[-1 - which % len(self.history)], how)]
        return []

    def _ask_payment(self, person: int, account: int, amount: int, key: int | None) -> Ask:
        amount_minor = amount if key is None else 1 + amount % 3  # with few amounts the same request comes again by itself
        body = {
            "from_wallet_id": str(self.wallets[person]),
            "to": {"wallet_id": str(self.wallets[account])},
            "amount": amount_minor,
            "currency": "KES",
        }
        text = json.dumps(body)
        transfer = Transfer(new_id(), self.addresses[person], self.addresses[account], amount_minor, "KES")
        scope = f"user:{self.users[person]}"
        said = fingerprint("POST", "/v1/transfers", text.encode())
        meant = Transaction(new_id(), scope, self._key(key), said, "transfer", (transfer,))
        return Ask(meant, self.users[person], text)

    def _ask_command(self, source: str, key: int | None, those: list[wire.Entry]) -> Ask:
        message = wire.PostTransaction(transaction_id=new_id(), idempotency_key=self._key(key), kind="test", entries=those)
        return Ask(transaction_of(message, source), message=message)

    def _ask_again(self, ask: Ask, how: str) -> Ask:
        if how == "same" or ask.message is None:
            return ask
        if how == "other content":
            message = ask.message.model_copy(update={"transaction_id": new_id()})
        elif self._recorded(ask):
            message = ask.message.model_copy(update={"idempotency_key": self._key(None)})
        else:
            return ask
        return Ask(transaction_of(message, ask.meant.scope), message=message, borrowed_id=how == "other key")

    def _recorded(self, ask: Ask) -> bool:
        """Whether the journal has this very transaction: its key stands for what it asks for."""
        said, _ = self.model.outcomes.get(ask.key, (b"", ""))
        return said == ask.meant.fingerprint

    def _key(self, number: int | None) -> str:
        return f"{self.mark}/{new_id() if number is None else number}"

    def _transfer(self, debit: int, credit: int, amount_minor: int) -> wire.Transfer:
        debit_account, credit_account = self.addresses[debit], self.addresses[credit]
        return wire.Transfer(
            id=new_id(), debit_account=debit_account, credit_account=credit_account, amount_minor=amount_minor, currency="KES"
        )

    def _entry(self, wanted: tuple[Any, ...]) -> wire.Entry:
        match wanted:
            case ("transfer", debit, credit, amount):
                return self._transfer(debit, credit, amount)
            case ("hold", number, debit, credit, amount, group, seconds):
                return wire.Hold(
                    id=self.holds[number],
                    group=self._group(group) if group else None,
                    debit_account=self.addresses[debit],
                    credit_account=self.addresses[credit],
                    amount_minor=amount,
                    currency="KES",
                    expires_at=self.model.now + timedelta(seconds=seconds) if seconds else None,
                )
            case ("post", number, amount):
                return wire.PostHold(hold_id=self.holds[number], amount_minor=amount)
            case ("void", number):
                return wire.VoidHold(hold_id=self.holds[number])
            case ("post group", group):
                return wire.PostHoldGroup(group=self._group(group))
            case ("void group", group):
                return wire.VoidHoldGroup(group=self._group(group))
        raise AssertionError(wanted)

    def _group(self, name: str) -> str:
        return f"{self.mark}/{name}"

    # What happens, and what should have.

    def _race(self, asks: list[Ask], *, expiring: bool = False) -> None:
        """Send everything at once, then hold the service to the model."""
        self.stage.operations += len(asks)
        try:
            self._send_and_compare(asks, expiring)
        except Exception:
            traceback.print_exc()  # Hypothesis plays it once more before it tells, and a race may go otherwise then
            raise

    def _send_and_compare(self, asks: list[Ask], expiring: bool) -> None:
        before, answers = self.stage.run(self._send(asks, expiring))
        told = self._replay(asks, before)
        for ask, answer in zip(asks, answers, strict=True):
            expected = self._expected(ask)
            if ask.message is None:
                said = _SAID_BY_HTTP.get(expected, expected)
                nobody = str(self.wallets[NOBODY]) in ask.body
                assert answer == said or (expected == "refused" and nobody and answer == "wallet_not_found"), (ask, answer, said)
            elif answer == "told":
                code = "idempotency_key_reused" if expected == "refused" else expected
                told[str(ask.message.transaction_id), code] += 1
            else:
                assert answer == expected == "contradicts", (ask, answer, expected)
        assert Counter(self.stage.run(self.stage.take_outcomes())) == told
        self._check_accounts()
        self.history = (self.history + asks)[-HISTORY:]

    async def _send(self, asks: list[Ask], expiring: bool) -> tuple[int, list[str]]:
        before = await self.stage.last_sequence()
        sending = [self._send_one(number % 2, ask) for number, ask in enumerate(asks)]
        sweep = [expire_holds(self.stage.contexts[0])] if expiring else []
        answers, _ = await asyncio.gather(asyncio.gather(*sending), asyncio.gather(*sweep))
        return before, answers

    async def _send_one(self, process: int, ask: Ask) -> str:
        if ask.message is not None:
            return await self.stage.command(process, ask.meant.scope, ask.message)
        assert ask.user is not None
        return await self.stage.pay(process, ask.user, ask.meant.idempotency_key, ask.body)

    def _replay(self, asks: list[Ask], before: int) -> Counter[tuple[str, str]]:
        """Let the model take what was recorded, in the journal's order; gives the outcomes to be told of all but commands."""
        sent = {(*ask.key, ask.meant.fingerprint): ask for ask in asks}
        told: Counter[tuple[str, str]] = Counter()
        for number, row in enumerate(self.stage.run(self.stage.journal_after(before)), before + 1):
            assert row["sequence"] == number
            scope, key, outcome = row["scope"], row["idempotency_key"], row["rejection_code"] or row["status"]
            assert (scope, key) not in self.model.outcomes, "recorded twice"
            if scope == "wallet_ledger":
                hold_id = UUID(key.split(":")[1])
                meant, of_a_command = (
                    Transaction(row["id"], scope, key, row["fingerprint"], "expiry", (ExpireHold(hold_id),)),
                    False,
                )
                if hold_id not in self.model.holds:  # of those who used the ledger before
                    told[str(row["id"]), outcome] += 1
                    continue
            else:
                ask = sent[scope, key, row["fingerprint"]]
                meant, of_a_command = ask.meant, ask.message is not None
            assert self.model.post(meant) == outcome, (meant, outcome)
            if not of_a_command:
                told[str(row["id"]), outcome] += 1
        return told

    def _expected(self, ask: Ask) -> str:
        """What the model answers now that it has taken everything."""
        if ask.borrowed_id:
            return "contradicts"
        if ask.key in self.model.outcomes:
            said, outcome = self.model.outcomes[ask.key]
            return outcome if said == ask.meant.fingerprint else "refused"
        assert ask.message is None, "neither recorded nor refused"
        assert str(self.wallets[NOBODY]) in ask.body, "neither recorded nor refused"
        return "wallet_not_found"

    def _check_accounts(self) -> None:
        """Every account has what the model says, whatever was refused."""
        found = self.stage.run(self.stage.accounts(self.addresses))
        for address in self.addresses:
            expected = self.model.balances.get(address, 0), self.model.held(address)
            assert found.get(address, (0, 0)) == expected, address
