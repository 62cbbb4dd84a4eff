"""Which use case runs how often."""

from services.payments.commands.purge_records import purge_records
from services.payments.commands.reconcile_provider import reconcile_closed_days
from services.payments.commands.resume_stalled import resume_stalled_deposits, resume_stalled_withdrawals
from services.payments.commands.sync_deposit import sync_due_deposits
from shared.jobs import Job

JOBS = (
    Job("sync deposits", 5, sync_due_deposits),
    Job("resume deposits", 10, resume_stalled_deposits),
    Job("resume withdrawals", 5, resume_stalled_withdrawals),
    Job("reconcile closed days", 300, reconcile_closed_days),
    Job("purge", 3600, purge_records),
)
