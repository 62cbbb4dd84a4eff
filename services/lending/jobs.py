"""Which use case runs how often."""

from services.lending.commands.close_business import close_past_days
from services.lending.commands.forget_old_rows import forget_old_rows
from services.lending.commands.sweep_sagas import sweep_sagas
from services.lending.sealed import SEALED
from shared.crypto.rotation import sealing_job
from shared.jobs import Job

JOBS = (
    Job("sweep sagas", every_seconds=5, run=sweep_sagas),
    Job("close of business", every_seconds=600, run=close_past_days),
    Job("forget old rows", every_seconds=900, run=forget_old_rows),
    Job("seal what is clear", every_seconds=3600, run=sealing_job(SEALED)),
)
