"""Which use case runs how often."""

from services.wallet_ledger.commands.close_days import close_days
from services.wallet_ledger.commands.decide_adjustment import expire_adjustments
from services.wallet_ledger.commands.expire_holds import expire_holds
from services.wallet_ledger.commands.forget_old_rows import forget_old_rows
from services.wallet_ledger.commands.keep_trial_balances import keep_trial_balances
from services.wallet_ledger.commands.post_adjustment import post_approved_adjustments
from services.wallet_ledger.commands.reconcile_ledger import reconcile_night
from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.commands.tell_provider_movements import tell_provider_movements
from services.wallet_ledger.sealed import SEALED
from shared.crypto.rotation import sealing_job
from shared.jobs import Job

JOBS = (
    Job("expire holds", 2.0, expire_holds),
    Job("seal blocks", 10.0, seal_blocks),
    Job("keep trial balances", 60.0, keep_trial_balances),
    Job("close days", 60.0, close_days),
    Job("post approved adjustments", 15.0, post_approved_adjustments),
    Job("expire adjustments", 60.0, expire_adjustments),
    Job("tell provider movements", 2.0, tell_provider_movements),
    Job("reconcile the night", 300.0, reconcile_night),
    Job("forget old rows", 600.0, forget_old_rows),
    Job("seal what is clear", 3600.0, sealing_job(SEALED)),
)
