"""Wires the wallet-ledger service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.wallet_ledger.api import (
    admin_accounts,
    admin_adjustments,
    admin_ledger,
    admin_reconciliations,
    admin_trial_balance,
    checkpoints,
    statements,
    transactions,
    transfers,
    wallets,
)
from services.wallet_ledger.consumers import CONSUMERS
from services.wallet_ledger.context import Context
from services.wallet_ledger.jobs import JOBS
from services.wallet_ledger.sealed import SEALED
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.outcome_source import OutcomeSource
from services.wallet_ledger.store.poster import Poster, PosterLimits
from shared.crypto.rotation import seal_clear
from shared.http.app import create_app
from shared.service import Platform, Service, open_database

_ROUTED = (
    wallets,
    statements,
    transfers,
    transactions,
    admin_ledger,
    admin_trial_balance,
    admin_accounts,
    admin_adjustments,
    admin_reconciliations,
    checkpoints,
)


def build(settings: Settings, platform: Platform) -> Service:
    """The wallet-ledger service, ready to be run."""
    database = open_database(settings, "wallet_ledger")
    limits = PosterLimits(
        batch_transactions=settings.ledger_batch_transactions,
        max_waiting=settings.ledger_max_waiting,
        give_up_seconds=settings.ledger_give_up_seconds,
    )
    poster = Poster(database, platform.clock, limits=limits)
    context = Context(settings=settings, clock=platform.clock, database=database, poster=poster, vault=settings.open_vault())

    @asynccontextmanager
    async def resources() -> AsyncIterator[None]:
        await seal_clear(database, context.vault, *SEALED)
        await poster.start()
        try:
            yield
        finally:
            await poster.stop()

    app = create_app(
        service="wallet_ledger",
        title="Lendery wallet-ledger",
        description="Wallets, transfers and the double-entry ledger behind them.",
        routers=[module.router for module in _ROUTED],
        checks={"database": database.ping},
        token_verifier=platform.token_verifier,
        context=context,
    )
    return Service(
        name="wallet_ledger",
        app=app,
        database=database,
        context=context,
        consumers=CONSUMERS,
        jobs=JOBS,
        # Handlers of commands only wait for the poster, which takes them together: the more at once, the better.
        handlers_at_once=settings.ledger_batch_transactions,
        resources=resources,
        message_sources=(OutcomeSource,),
    )
