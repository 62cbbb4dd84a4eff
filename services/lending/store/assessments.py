"""Credit assessments, in and out of the database. What they were computed from leaves the process only sealed."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.domain.assessment import Assessment, Record
from services.lending.domain.credit_inputs import CreditInputs, Verification
from services.lending.domain.loan import LoanStatus
from services.lending.domain.pricing import Grade
from services.lending.domain.scorecard import FactorScore, Score
from services.lending.store.tables import credit_assessments, loans
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear

_INQUIRIES_WITHIN = timedelta(days=183)
_DAYS_IN_MONTH = 30


def _assessment_of(row: Any, vault: Vault) -> Assessment:
    opened = open_assessment(dict(row._mapping), vault)
    inputs = CreditInputs(**opened["inputs"] | {"verification": Verification(opened["inputs"]["verification"])})
    factors = tuple(FactorScore(**factor) for factor in opened["factors"])
    return Assessment(
        id=row.id,
        user_id=row.user_id,
        currency=row.currency,
        inputs=inputs,
        score=Score(row.points, row.default_probability, factors, row.model_version),
        grade=Grade(row.grade),
        annual_rate=row.annual_rate.normalize(),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


class AssessmentStore:
    """Assessments, and the record of a person that they are made from."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, assessment: Assessment) -> None:
        """A new assessment."""
        await self._connection.execute(
            credit_assessments.insert().values(
                id=assessment.id,
                user_id=assessment.user_id,
                currency=assessment.currency,
                model_version=assessment.score.model_version,
                inputs=self._sealed(asdict(assessment.inputs), inputs_place(assessment.id)),
                points=assessment.score.points,
                default_probability=assessment.score.default_probability,
                grade=assessment.grade,
                annual_rate=assessment.annual_rate,
                factors=self._sealed([asdict(factor) for factor in assessment.score.factors], factors_place(assessment.id)),
                created_at=assessment.created_at,
                expires_at=assessment.expires_at,
            )
        )

    async def current(self, user_id: UUID, now: datetime, currency: str | None = None) -> Assessment | None:
        """The newest assessment that has not expired, of any currency or of the one given."""
        table = credit_assessments
        query = sa.select(table).where(table.c.user_id == user_id, table.c.expires_at > now)
        if currency is not None:
            query = query.where(table.c.currency == currency)
        row = (await self._connection.execute(query.order_by(table.c.id.desc()).limit(1))).one_or_none()
        return _assessment_of(row, self._vault) if row else None

    async def record_of(self, user_id: UUID, currency: str, now: datetime) -> Record:
        """How somebody has dealt with loans here. Debts count in `currency` only: there is no exchange rate here."""
        lent = loans.c.disbursed_on.is_not(None)
        in_currency = loans.c.currency == currency
        query = sa.select(
            sa.func.count().filter(loans.c.status == LoanStatus.REPAID).label("repaid"),
            sa.func.coalesce(sa.func.max(loans.c.worst_days_past_due), 0).label("worst"),
            sa.func.min(loans.c.disbursed_on).filter(lent).label("first"),
            sa.func.count().filter(loans.c.submitted_at > now - _INQUIRIES_WITHIN).label("inquiries"),
            sa.func.coalesce(sa.func.sum(loans.c.outstanding_minor).filter(in_currency), 0).label("outstanding"),
        ).where(loans.c.borrower_id == user_id)
        row = (await self._connection.execute(query)).one()
        months = None if row.first is None else max(0, (now.date() - row.first).days // _DAYS_IN_MONTH)
        return Record(
            loans_repaid=row.repaid,
            worst_days_past_due=row.worst,
            months_since_first_loan=months,
            recent_inquiries=row.inquiries,
            outstanding_here_minor=int(row.outstanding),
        )

    def _sealed(self, value: object, place: str) -> bytes:
        return self._vault.encrypt_text(json.dumps(value), aad=place)


def open_assessment(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `credit_assessments` with its sealed columns opened."""
    return row | {
        "inputs": json.loads(open_or_clear(vault, bytes(row["inputs"]), place=inputs_place(row["id"]))),
        "factors": json.loads(open_or_clear(vault, bytes(row["factors"]), place=factors_place(row["id"]))),
    }


def inputs_place(assessment_id: UUID | str) -> str:
    """Where sealed inputs belong."""
    return f"lending.credit_assessments.inputs:{assessment_id}"


def factors_place(assessment_id: UUID | str) -> str:
    """Where sealed factors belong."""
    return f"lending.credit_assessments.factors:{assessment_id}"
