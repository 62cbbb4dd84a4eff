"""Who is calling: access tokens, the keys that sign them, and the principal they name."""

from shared.identity.principal import Principal, Role
from shared.identity.step_up import StepUpRequired, refuse_without_step_up, step_up_required
from shared.identity.tokens import KeySet, TokenRules, sign_token, verify_token

__all__ = [
    "KeySet",
    "Principal",
    "Role",
    "StepUpRequired",
    "TokenRules",
    "refuse_without_step_up",
    "sign_token",
    "step_up_required",
    "verify_token",
]
