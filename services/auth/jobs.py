"""What auth does on a schedule."""

from services.auth.commands.check_kyc import check_kyc
from services.auth.commands.collect_export import forget_exports, sweep_exports
from services.auth.commands.decide_role_grant import expire_role_grants
from services.auth.commands.expire_kyc import expire_kyc
from services.auth.commands.finish_factor_resets import finish_factor_resets
from services.auth.commands.forget_old_rows import forget_old_rows
from services.auth.commands.purge_identities import purge_identities
from services.auth.commands.rotate_keys import rotate_keys_on_schedule
from services.auth.commands.settle_erasure import sweep_erasures
from services.auth.sealed import SEALED
from shared.crypto.rotation import sealing_job
from shared.jobs import Job

JOBS = (
    Job("expire_role_grants", 300.0, expire_role_grants),
    Job("finish factor resets", 60.0, finish_factor_resets),
    Job("forget_old_rows", 3600.0, forget_old_rows),
    Job("rotate_keys", 3600.0, rotate_keys_on_schedule),
    Job("check identities", 2.0, check_kyc),
    Job("expire identities", 3600.0, expire_kyc),
    Job("sweep exports", 5.0, sweep_exports),
    Job("sweep erasures", 5.0, sweep_erasures),
    Job("forget exports", 600.0, forget_exports),
    Job("purge identities", 3600.0, purge_identities),
    Job("seal what is clear", 3600.0, sealing_job(SEALED)),
)
