"""What auth does on a schedule."""

from services.auth.commands.forget_old_rows import forget_old_rows
from shared.jobs import Job

JOBS = (Job("forget_old_rows", 3600.0, forget_old_rows),)
