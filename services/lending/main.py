"""Wiring of the lending service."""

from services.lending.api import admin_loans, assessments, close_of_business, investments, loans, quotes, repayments
from services.lending.consumers import CONSUMERS
from services.lending.context import Context
from services.lending.jobs import JOBS
from services.lending.settings import Settings
from shared.http.app import create_app
from shared.service import Platform, Service, open_database


def build(settings: Settings, platform: Platform) -> Service:
    """The service, wired but not running."""
    database = open_database(settings, "lending")
    context = Context(settings, platform.clock, database, settings.open_vault())
    app = create_app(
        service="lending",
        title="Lending",
        description=(
            "Borrow from many lenders and lend to many borrowers: quotes, applications, funding, repayments. "
            "Amounts are integers of minor units, rates are decimal strings of an annual nominal rate."
        ),
        routers=[
            quotes.router,
            loans.router,
            investments.router,
            repayments.router,
            assessments.router,
            admin_loans.router,
            close_of_business.router,
        ],
        checks={"database": database.ping},
        token_verifier=platform.token_verifier,
        context=context,
    )
    return Service(name="lending", app=app, database=database, context=context, consumers=CONSUMERS, jobs=JOBS)
