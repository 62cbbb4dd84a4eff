"""Failures that a client is told about, as RFC 9457 problem documents.

Pure: domain code raises these; `shared.http.errors` turns them into answers.
"""

from shared.problems.common import (
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServiceUnavailable,
    Unauthenticated,
)
from shared.problems.problem import FieldError, Problem, catalogue

__all__ = [
    "FieldError",
    "Forbidden",
    "InvalidRequest",
    "NotFound",
    "Problem",
    "RateLimited",
    "ServiceUnavailable",
    "Unauthenticated",
    "catalogue",
]
