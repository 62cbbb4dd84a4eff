"""Lists as the public contract fixes them: newest first, `limit` and an opaque `cursor`, keyset underneath."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from shared.problems import FieldError, InvalidRequest

T = TypeVar("T")
Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(None, description="Pass it as `cursor` for the next page; null on the last")


@dataclass(frozen=True)
class PageRequest:
    """How many rows, and after which id: ids are time-ordered, so one id says where a page begins."""

    limit: int = DEFAULT_LIMIT
    after: UUID | None = None

    @property
    def fetch(self) -> int:
        """Rows to read: one more than asked, which tells whether another page follows."""
        return self.limit + 1

    def page(
        self, rows: Sequence[Row], id_of: Callable[[Row], UUID], view: Callable[[Row], T], goes_on_after: UUID | None = None
    ) -> Page[T]:
        """The page made of `rows` (at most `fetch` of them, in order).

        Where they are not all that there is, although fewer than `fetch`, the list goes on after `goes_on_after`.
        """
        shown = rows[: self.limit]
        after = id_of(shown[-1]) if len(rows) > self.limit else goes_on_after
        return Page(items=[view(row) for row in shown], next_cursor=_encode(after) if after is not None else None)


def _encode(after: UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": str(after)}).encode()).decode().rstrip("=")


def _decode(cursor: str) -> UUID:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return UUID(json.loads(raw)["after"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest(
            "The cursor is not one that this list gave. Start again without it.",
            errors=[FieldError("cursor", "not a cursor of this list")],
        ) from error


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit, _decode(cursor) if cursor else None)


Paging = Annotated[PageRequest, Depends(_page_request)]
"""Endpoint parameter: the page that the client asked for."""
