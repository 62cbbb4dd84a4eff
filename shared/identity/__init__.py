"""Who is calling: access tokens, the keys that sign them, and the principal they name."""

from shared.identity.principal import Principal, Role
from shared.identity.tokens import KeySet, TokenRules, sign_token, verify_token

__all__ = ["KeySet", "Principal", "Role", "TokenRules", "sign_token", "verify_token"]
