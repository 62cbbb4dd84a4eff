"""The base class of every failure that has a stable code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One field of a request that was refused, and why."""

    field: str
    message: str


class Problem(Exception):
    """A failure that the caller can understand and act on.

    Subclasses fix `status` (HTTP), `code` (stable, snake_case) and `title`; the instance's `detail` says what happened
    this time and what to do next. Defining a subclass puts it in the catalogue from which docs/problems.md is generated.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def catalogue() -> dict[str, type[Problem]]:
    """Every problem defined in the modules imported so far, by code.

    Raises `ValueError` when two classes of different status share a code: a client could not tell them apart.
    """
    found: dict[str, type[Problem]] = {}
    pending: list[type[Problem]] = [Problem]
    while pending:
        problem = pending.pop()
        pending.extend(problem.__subclasses__())
        known = found.setdefault(problem.code, problem)
        if known.status != problem.status:
            raise ValueError(f"{problem.__name__} and {known.__name__} share the code {problem.code}")
    return dict(sorted(found.items()))
