"""Requests that move money happen once, however often they are sent.

The key, a fingerprint of the request and the first answer are kept in the use case's own transaction: either the work
and its answer are both there, or neither is. Keys belong to a user and are kept for 35 days.
"""

from shared.idempotency.keys import Answer, IdempotentRequest, KeyInUse, KeyMissing, KeyReused
from shared.idempotency.once import once

__all__ = ["Answer", "IdempotentRequest", "KeyInUse", "KeyMissing", "KeyReused", "once"]
