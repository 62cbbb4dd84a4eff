"""Assess somebody's credit from what they say, what is verified, and their record here."""

from services.lending.context import Context
from services.lending.domain.assessment import Assessment, Financials, make_assessment
from services.lending.domain.credit_inputs import CreditInputs, Verification
from services.lending.domain.product import seed_product
from services.lending.store.unit_of_work import UnitOfWork
from shared.identity.principal import Principal
from shared.ids import new_id


async def assess_credit(context: Context, principal: Principal, financials: Financials) -> Assessment:
    """A new assessment, which becomes the current one. Raises `NoProduct` for a currency that is not lent in."""
    async with context.unit_of_work() as work:
        return await assess_in(work, principal, financials, installment_minor=0)


async def assess_in(work: UnitOfWork, principal: Principal, financials: Financials, *, installment_minor: int) -> Assessment:
    """The same within a transaction; `installment_minor` is the monthly installment that is being applied for."""
    record = await work.assessments.record_of(principal.user_id, financials.currency, work.now)
    person = await work.people.get(principal.user_id)
    inputs = CreditInputs(
        employment_status=financials.employment_status,
        annual_income_minor=financials.annual_income_minor,
        monthly_obligations_minor=financials.monthly_obligations_minor,
        installment_minor=installment_minor,
        loans_repaid=record.loans_repaid,
        worst_days_past_due=record.worst_days_past_due,
        defaults=record.defaults,
        months_since_first_loan=record.months_since_first_loan,
        recent_inquiries=record.recent_inquiries,
        outstanding_here_minor=record.outstanding_here_minor,
        verification=_verification(principal, kyc_approved=person is not None and person.kyc_status == "approved"),
    )
    pricing = seed_product(financials.currency).pricing
    assessment = make_assessment(new_id(), principal.user_id, inputs, financials.currency, pricing, work.now)
    await work.assessments.add(assessment)
    return assessment


def _verification(principal: Principal, *, kyc_approved: bool) -> Verification:
    if kyc_approved:
        return Verification.IDENTITY
    return Verification.EMAIL if principal.email_verified else Verification.NONE
