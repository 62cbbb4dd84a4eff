"""What notifications does on a schedule."""

from services.notifications.commands.deliver_emails import deliver_emails
from services.notifications.commands.deliver_texts import deliver_texts
from services.notifications.commands.forget_old_rows import forget_old_rows
from services.notifications.sealed import SEALED
from shared.crypto.rotation import sealing_job
from shared.jobs import Job

JOBS = (
    Job("deliver e-mails", every_seconds=0.5, run=deliver_emails),
    Job("deliver texts", every_seconds=0.5, run=deliver_texts),
    Job("forget old rows", every_seconds=900, run=forget_old_rows),
    Job("seal what is clear", every_seconds=3600, run=sealing_job(SEALED)),
)
