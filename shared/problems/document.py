"""The RFC 9457 document of a problem."""

from typing import Any

from shared.problems.problem import Problem
from shared.telemetry import trace

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://lendery.dev/problems/"


def problem_document(problem: Problem) -> dict[str, Any]:
    """The JSON of a problem, with the trace id that operators look for."""
    document: dict[str, Any] = {
        "type": f"{TYPE_BASE}{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "trace_id": trace.current().trace_id,
    }
    if problem.errors:
        document["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    return document | problem.extra
