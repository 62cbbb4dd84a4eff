"""The story on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from runtime.demo.client import Json
from runtime.demo.story import CURRENCY, Outcome


class TerminalNarrator:
    """Prints what happens as it happens; colours only on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0

    def chapter(self, title: str) -> None:
        """A numbered heading."""
        self._chapter += 1
        self._console.print()
        self._console.rule(f"[bold]{self._chapter}. {title}[/]", align="left", style="dim")

    def tell(self, text: str) -> None:
        """A line with a check mark."""
        self._console.print(f"  [green]✓[/] {text}", highlight=False, soft_wrap=True)

    def refuse(self, text: str) -> None:
        """A line that says no."""
        self._console.print(f"  [yellow]✗[/] {text}", highlight=False, soft_wrap=True)

    def balances(self, wallets: Sequence[tuple[str, Json]]) -> None:
        """A row a wallet."""
        table = _table(CURRENCY, ("Balance", "Available", "Held"))
        for name, wallet in wallets:
            table.add_row(name, *(figure(wallet[key]) for key in ("balance", "available", "held")))
        self._console.print(table)

    def finish(self, outcome: Outcome) -> None:
        """The schedule beside the lenders' receipts, then the trial balance and the verdict."""
        for table in (_schedule(outcome), _receipts(outcome), _trial_balance(outcome)):
            self._console.print(table)
            self._console.print()
        sound = outcome.verification["sound"]
        told = sum(outcome.letters.values())
        noticed = sum(outcome.notices.values())
        self._console.print(f"  Told by e-mail: {told} messages; in the app: {noticed} notifications.", highlight=False)
        verdict = "[bold green]The ledger verifies.[/]" if sound else "[bold red]The ledger does NOT verify.[/]"
        self._console.print(f"  {verdict} {_checked(outcome.verification)}", highlight=False)


def figure(amount_minor: int) -> str:
    """An amount in a table whose title has the currency."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100:,}.{abs(amount_minor) % 100:02}"


def _table(first: str, numbers: Sequence[str], title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1), header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _schedule(outcome: Outcome) -> Table:
    table = _table("Due on", ("Principal", "Interest", "Fees", "Total", "Paid", "Status"), f"The loan's schedule, in {CURRENCY}")
    for row in outcome.schedule:
        amounts = (figure(row[key]) for key in ("principal", "interest", "fees", "total", "paid"))
        table.add_row(row["due_on"], *amounts, row["status"])
    return table


def _receipts(outcome: Outcome) -> Table:
    columns = ("Lent", "Principal back", "Interest", "Service fee", "Earned")
    table = _table("Lender", columns, f"What each lender received, in {CURRENCY}")
    for email, investment in outcome.investments.items():
        interest, fees = investment["interest_received"], investment["service_fees"]
        amounts = (investment["amount"], investment["principal_received"], interest, fees, interest - fees)
        table.add_row(email.split("@")[0].rsplit("-", 1)[0], *(figure(amount) for amount in amounts))
    return table


def _trial_balance(outcome: Outcome) -> Table:
    table = _table("Accounts", ("Debits", "Credits", "Balance"), "The ledger's trial balance")
    for row in outcome.trial_balance["lines"]:
        table.add_row(
            f"{row['accounts']} × {row['kind']} ({row['currency']})",
            *(figure(row[key]) for key in ("debits", "credits", "balance")),
        )
    return table


def _checked(verification: Json) -> str:
    counts = ("transactions", "transfers", "accounts", "holds")
    return "Checked: " + ", ".join(f"{verification[name]:,} {name}" for name in counts) + "."
