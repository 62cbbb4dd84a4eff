"""Tells which wallets lending counts on, wherever a loan or an investment is written, so that no way to end one can forget it."""

from collections.abc import Callable
from dataclasses import asdict

from services.lending.domain.investment import Investment
from services.lending.domain.loan import Loan
from services.lending.domain.wallet_use import use_by
from shared.contracts.lending.wallet_use_events import WalletUseChanged
from shared.messaging.outbox import Outbox

TellUse = Callable[[Loan | Investment], None]


def tell_uses(outbox: Outbox) -> TellUse:
    """A function that tells how something uses its wallet as it stands, in order with whatever else is told of its loan."""

    def tell(what: Loan | Investment) -> None:
        use = use_by(what)
        outbox.publish(WalletUseChanged.model_validate(asdict(use)), aggregate_id=use.loan_id)

    return tell
