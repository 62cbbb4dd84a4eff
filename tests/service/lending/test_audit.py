"""What operators do in lending is told to the audit log."""

from uuid import UUID

from tests.service.lending.conftest import NOW, World


async def test_decisions_and_closed_days_are_told_with_who_and_what(world: World) -> None:
    borrower = await world.person()
    approved = await world.listed(borrower)
    declined = (await world.apply(borrower)).json()["id"]
    await world.post(world.admin, f"/v1/admin/loans/{declined}/decline", {"reason": "Income not shown."})
    refused = await world.post(world.admin, f"/v1/admin/loans/{declined}/approve", {})
    assert refused.status_code == 409
    await world.close(NOW.date())
    told = await world.told("auth.action.taken")
    assert [(one["action"], one["subject_kind"], one["subject_id"]) for one in told] == [
        ("loan.approved", "loan", approved),
        ("loan.declined", "loan", declined),
        ("business_day.closed", "business_day", NOW.date().isoformat()),
    ]
    assert told[0]["before"]["status"] == "submitted"
    assert (told[0]["after"]["status"], told[0]["after"]["annual_rate"]) == ("funding", "0.1850")
    assert told[1]["after"] == {"status": "declined", "reason": "Income not shown."}
    for one in told:
        assert (one["service"], one["actor_kind"], one["address"]) == ("lending", "user", "127.0.0.1")
        assert UUID(one["actor_id"])
        assert one["request_id"]
    assert not any(str(borrower.id) in str(one) for one in told), "whose loan it is, is in lending"
