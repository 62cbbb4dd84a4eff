"""An operator had the ledger verified: the audit log keeps that, and what came of it."""

from uuid import UUID

from services.wallet_ledger.context import Context
from shared.verification import Report


async def note_verification(context: Context, operator_id: UUID, report: Report) -> None:
    """Tell the audit log."""
    first = report.first_fault
    async with context.unit_of_work() as work:
        work.publish_action(
            "ledger.verified",
            actor=operator_id,
            subject_id=None,
            after={
                "sound": report.sound,
                "faults": len(report.faults),
                "first_fault": f"{first.check}: {first.where}" if first is not None else None,
                **report.counts,
            },
        )
