"""Applying and deciding: who may, with what, and what it costs."""

import asyncio
from typing import Any

import pytest

from shared.contracts.auth.kyc_events import KycApproved, KycRejected, KycSubmitted
from shared.ids import new_id
from tests.service.lending.conftest import FINANCIALS, NOW, World


async def test_an_application_has_its_grade_and_its_rate(world: World):
    borrower = await world.person()
    answer = await world.apply(borrower)
    assert answer.status_code == 201
    loan = answer.json()
    assert (loan["status"], loan["amount"], loan["funded_amount"]) == ("submitted", 100_003, 0)
    assert loan["borrower_id"] == str(borrower.id)
    assessment = await world.get(borrower, "/v1/credit-assessments/current")
    assert (assessment["risk_grade"], assessment["annual_rate"]) == (loan["risk_grade"], loan["annual_rate"])
    assert loan["annual_rate"] == f"{float(loan['annual_rate']):.4f}"
    assert len(assessment["reasons"]) <= 4
    assert await world.get(borrower, f"/v1/loans/{loan['id']}") == loan
    (told,) = await world.told("lending.loan.submitted")
    assert (told["loan_id"], told["annual_rate"]) == (loan["id"], loan["annual_rate"])
    preview = await world.schedule(borrower, loan["id"])
    assert [one["status"] for one in preview] == ["upcoming"] * 3


async def test_an_assessment_made_before_is_used(world: World):
    borrower = await world.person()
    none = await world.api.get("/v1/credit-assessments/current", headers=borrower.headers)
    assert (none.status_code, none.json()["code"]) == (404, "credit_assessment_not_found")
    nothing = await world.apply(borrower, financials=None)
    assert (nothing.status_code, nothing.json()["code"]) == (422, "credit_assessment_required")
    made = await world.post(borrower, "/v1/credit-assessments", {"financials": FINANCIALS})
    assert (made.status_code, made.json()["currency"]) == (201, "KES")
    loan = await world.apply(borrower, financials=None)
    assert (loan.status_code, loan.json()["risk_grade"]) == (201, made.json()["risk_grade"])
    other = await world.api.get("/v1/credit-assessments/current", headers=(await world.person()).headers)
    assert other.status_code == 404


async def test_kyc_is_required(world: World, impatient: None):
    borrower = await world.person(kyc=False)
    for event in (
        None,
        KycSubmitted(user_id=borrower.id, kyc_id=new_id(), submitted_at=NOW),
        KycRejected(user_id=borrower.id, kyc_id=new_id(), reason="blurred", rejected_at=NOW),
    ):
        if event is not None:
            await world.handle(event)
        refused = await world.apply(borrower)
        assert (refused.status_code, refused.json()["code"]) == (403, "kyc_required")
    await world.handle(KycApproved(user_id=borrower.id, kyc_id=new_id(), country="KE", approved_at=NOW))
    assert (await world.apply(borrower)).status_code == 201
    assert len(await world.told("lending.loan.submitted")) == 1


async def test_an_approval_of_a_moment_ago_counts(world: World):
    borrower = await world.person(kyc=False)

    async def approve() -> None:
        await asyncio.sleep(0.1)
        await world.handle(KycApproved(user_id=borrower.id, kyc_id=new_id(), country="KE", approved_at=NOW))

    answer, _ = await asyncio.gather(world.apply(borrower), approve())
    assert answer.status_code == 201


async def test_the_e_mail_address_must_be_verified(world: World):
    newcomer = await world.person(10_000, email_verified=False)
    loan_id = await world.listed(await world.person())
    financials = {"financials": FINANCIALS}
    refused = [
        await world.apply(newcomer),
        await world.invest(newcomer, loan_id, 5_000),
        await world.repay(newcomer, loan_id, 5_000),
        await world.post(newcomer, f"/v1/loans/{loan_id}/payoff", {}),
        await world.post(newcomer, "/v1/credit-assessments", financials),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "email_unverified")}
    assert len((await world.get(newcomer, "/v1/loans"))["items"]) == 1  # looking around is fine
    assert await world.take() == []


async def test_the_wallet_is_the_callers_own_and_in_the_currency(world: World, impatient: None):
    borrower, other = await world.person(), await world.person()
    for wallet_id in (other.wallet_id, new_id()):
        refused = await world.apply(borrower, wallet_id=str(wallet_id))
        assert (refused.status_code, refused.json()["code"]) == (404, "wallet_not_found")
    mismatch = await world.apply(borrower, currency="USD", amount=50_000)
    assert (mismatch.status_code, mismatch.json()["code"]) == (422, "currency_mismatch")


BAD_APPLICATIONS: list[tuple[dict[str, Any], str]] = [
    ({"amount": 49_999}, "amount_outside_limits"),
    ({"amount": 500_000_001}, "amount_outside_limits"),
    ({"amount": 10**15}, "amount_outside_limits"),
    ({"term_months": 61}, "term_outside_limits"),
    ({"amount": 0}, "validation_error"),
    ({"amount": -5}, "validation_error"),
    ({"amount": 10**16}, "validation_error"),
    ({"amount": 1000.5}, "validation_error"),
    ({"amount": 100_000.0}, "validation_error"),
    ({"amount": "100000"}, "validation_error"),
    ({"amount": True}, "validation_error"),
    ({"currency": "ZZZ"}, "validation_error"),
    ({"currency": "kes"}, "validation_error"),
    ({"term_months": 0}, "validation_error"),
    ({"term_months": "3"}, "validation_error"),
    ({"purpose": "   "}, "validation_error"),
    ({"purpose": "a\x00b"}, "validation_error"),
    ({"purpose": "x" * 201}, "validation_error"),
    ({"wallet_id": "mine"}, "validation_error"),
    ({"method": "balloon"}, "validation_error"),
    ({"day_count": "30/365"}, "validation_error"),
    ({"status": "active"}, "validation_error"),
    ({"annual_rate": "0.0100"}, "validation_error"),
    ({"financials": {**FINANCIALS, "annual_income": -1}}, "validation_error"),
    ({"financials": {**FINANCIALS, "age": 30}}, "validation_error"),
]


async def test_bad_applications(world: World):
    borrower = await world.person()
    for changes, code in BAD_APPLICATIONS:
        refused = await world.apply(borrower, **changes)
        assert (refused.status_code, refused.json()["code"]) == (422, code), changes
        assert refused.headers["content-type"] == "application/problem+json"
    assert await world.told("lending.loan.submitted") == []


BAD_BODIES = [
    (b"{", 400, "malformed_body"),
    (b'{"amount": NaN, "wallet_id": "019b76da-a800-7000-8000-000000000000"}', 422, "validation_error"),
    (b'{"amount": 1e400, "wallet_id": "019b76da-a800-7000-8000-000000000000"}', 422, "validation_error"),
    (b"[]", 422, "validation_error"),
    (b"", 422, "validation_error"),
]


async def test_bad_bodies(world: World):
    lender = await world.person(10_000)
    loan_id = await world.listed(await world.person())
    headers = {**lender.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    for path in (f"/v1/loans/{loan_id}/investments", f"/v1/loans/{loan_id}/repayments", "/v1/loans"):
        for sent, status, code in BAD_BODIES:
            answer = await world.api.post(path, content=sent, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (path, sent)
    assert await world.take() == []


async def test_approving_overrides_what_the_grade_says(world: World):
    borrower = await world.person()
    loan_id = (await world.apply(borrower)).json()["id"]
    approved = await world.post(world.admin, f"/v1/admin/loans/{loan_id}/approve", {"annual_rate": "0.2", "funding_days": 3})
    assert (approved.json()["annual_rate"], approved.json()["funding_ends_at"]) == ("0.2000", "2026-02-03T09:30:00Z")
    (told,) = await world.told("lending.loan.approved")
    assert (told["annual_rate"], told["funding_ends_at"]) == ("0.2000", "2026-02-03T09:30:00Z")
    for path, body in ((f"{loan_id}/approve", {}), (f"{loan_id}/decline", {"reason": "no"})):
        again = await world.post(world.admin, f"/v1/admin/loans/{path}", body)
        assert (again.status_code, again.json()["code"]) == (409, "wrong_loan_status")
    plain = (await world.apply(borrower)).json()
    approved = await world.api.post(f"/v1/admin/loans/{plain['id']}/approve", headers=world.admin)
    assert (approved.status_code, approved.json()["annual_rate"]) == (200, plain["annual_rate"])
    assert approved.json()["funding_ends_at"] == "2026-02-14T09:30:00Z"


async def test_declining_says_why(world: World):
    borrower, lender = await world.person(), await world.person(200_000)
    loan_id = (await world.apply(borrower)).json()["id"]
    assert (await world.post(world.admin, f"/v1/admin/loans/{loan_id}/decline", {})).status_code == 422
    declined = await world.post(world.admin, f"/v1/admin/loans/{loan_id}/decline", {"reason": "Income not shown."})
    assert (declined.status_code, declined.json()["status"]) == (200, "declined")
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["reason"] == "Income not shown."
    assert (await world.invest(lender, loan_id, 10_000)).status_code == 404
    assert len(await world.told("lending.loan.declined")) == 1


@pytest.mark.parametrize("roles", [("user",), ("user", "support")])
async def test_only_administrators_decide(world: World, roles: tuple[str, ...]):
    other = await world.person(roles=roles)
    loan_id = (await world.apply(await world.person())).json()["id"]
    for path, body in (("approve", {}), ("decline", {"reason": "no"})):
        refused = await world.post(other, f"/v1/admin/loans/{loan_id}/{path}", body)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    unknown = await world.post(world.admin, f"/v1/admin/loans/{new_id()}/approve", {})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "loan_not_found")
    assert (await world.get(world.admin, f"/v1/loans/{loan_id}"))["status"] == "submitted"


@pytest.mark.parametrize(("decision", "body"), [("approve", {}), ("decline", {"reason": "no"})])
async def test_nobody_decides_on_their_own_loan(world: World, decision: str, body: dict[str, str]):
    borrower = await world.person(roles=("user", "admin"))
    loan_id = (await world.apply(borrower)).json()["id"]
    refused = await world.post(borrower, f"/v1/admin/loans/{loan_id}/{decision}", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await world.get(world.admin, f"/v1/loans/{loan_id}"))["status"] == "submitted"
