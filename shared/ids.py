"""Identifiers: UUIDs of version 7, so that ids made later sort later and indexes grow at one end."""

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

_NAMESPACE = UUID("6f1d0d0e-6c0b-5a53-9d1e-0f2b7c9a4e10")


def new_id() -> UUID:
    """A new time-ordered id."""
    return uuid7()


def derived_id(*parts: object) -> UUID:
    """The id that always belongs to `parts`, in this order: for things that must exist once, however often they are asked for."""
    return uuid5(_NAMESPACE, "/".join(str(part) for part in parts))
