"""Lists that are ordered by a number: the shared cursors carry an id, so the number travels as one."""

from uuid import UUID

from shared.http.paging import PageRequest

_HIGHEST = 2**63 - 1


def cursor_of(number: int) -> UUID:
    """What a cursor says of a row with this number."""
    return UUID(int=number)


def number_before(paging: PageRequest) -> int | None:
    """The page has rows below this number; None on the first page."""
    return min(paging.after.int, _HIGHEST) if paging.after is not None else None
