"""What auth does on a schedule."""

from services.auth.commands.check_kyc import check_kyc
from services.auth.commands.decide_role_grant import expire_role_grants
from services.auth.commands.expire_kyc import expire_kyc
from services.auth.commands.forget_old_rows import forget_old_rows
from services.auth.commands.rotate_keys import rotate_keys_on_schedule
from shared.jobs import Job

JOBS = (
    Job("expire_role_grants", 300.0, expire_role_grants),
    Job("forget_old_rows", 3600.0, forget_old_rows),
    Job("rotate_keys", 3600.0, rotate_keys_on_schedule),
    Job("check identities", 2.0, check_kyc),
    Job("expire identities", 3600.0, expire_kyc),
)
