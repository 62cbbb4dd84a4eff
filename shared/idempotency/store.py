"""Where keys are kept: one table in each service's schema."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.idempotency.keys import Answer, IdempotentRequest, KeyInUse, KeyReused

KEPT_DAYS = 35
_keys = sa.table(
    "idempotency_keys",
    sa.column("owner"),
    sa.column("key"),
    sa.column("fingerprint"),
    sa.column("status"),
    sa.column("media_type"),
    sa.column("body", JSONB),
)


def add_idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """Declare the table in a service's metadata."""
    return sa.Table(
        "idempotency_keys",
        metadata,
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Index("idempotency_keys_created_at", "created_at"),
    )


async def claim(connection: AsyncConnection, request: IdempotentRequest) -> Answer | None:
    """The answer that was given before, or None when this transaction is the first to have the key.

    Raises `KeyInUse` while another transaction has it and `KeyReused` when it was for another request. The claim ends
    with the transaction.
    """
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(f"{request.owner}\n{request.key}", 20_240_229)))
    if not (await connection.execute(lock)).scalar_one():
        raise KeyInUse("Wait for its answer, then send the request again with the same key.", headers={"Retry-After": "1"})
    kept = (
        await connection.execute(
            sa.select(_keys.c.fingerprint, _keys.c.status, _keys.c.media_type, _keys.c.body).where(
                _keys.c.owner == request.owner, _keys.c.key == request.key
            )
        )
    ).one_or_none()
    if kept is None:
        return None
    if bytes(kept.fingerprint) != request.fingerprint:
        raise KeyReused("Use a new key for a new request.")
    body: dict[str, Any] = kept.body
    return Answer(kept.status, body, replayed=True, media_type=kept.media_type)


async def keep(connection: AsyncConnection, request: IdempotentRequest, answer: Answer) -> None:
    """Keep the first answer for later requests with the same key."""
    await connection.execute(
        _keys.insert().values(
            owner=request.owner,
            key=request.key,
            fingerprint=request.fingerprint,
            status=answer.status,
            media_type=answer.media_type,
            body=answer.body,
        )
    )


async def forget_old_keys(connection: AsyncConnection) -> int:
    """Delete keys older than `KEPT_DAYS`; the number deleted."""
    result = await connection.execute(
        sa.text("DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(days => :days)"),
        {"days": KEPT_DAYS},
    )
    return result.rowcount
