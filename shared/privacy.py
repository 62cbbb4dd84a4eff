"""What a service has of a person, as data: how it is exported, what stands in the way of forgetting it, how that is done.

Each service has one table `PERSONAL_DATA` in its `personal_data.py`. Its consumers of auth's requests are made from that
table, and so is docs/personal-data.md. Statements get the person's id as `$1` and run as the service's own role.
"""

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.auth.privacy_messages import (
    AnswerErasure,
    DeliverExportPart,
    ErasureBlocker,
    ErasureDecided,
    ErasureRequested,
    ExportRequested,
    ReportErasure,
)
from shared.crypto import Vault
from shared.messaging.consumer import ConsumerTable, Delivery
from shared.messaging.purge import KEEP_PUBLISHED

ROWS_MAX = 50_000
"""Rows of one file of an export; the newest, because statements order by that."""

MESSAGES_KEPT = f"what services told each other, {KEEP_PUBLISHED.days} days at most: so that nothing is lost on the way"

Row = dict[str, Any]
Files = dict[str, Any]


def _as_it_is(row: Row, vault: Vault) -> Row:
    return row


@dataclass(frozen=True)
class PersonalData:
    """`exported`: file name -> query. `opened`: file name -> what unseals a row of it. `blocked_by`: code -> query whose only
    column says, for each thing in the way, what it is and what to do. `erased`: kind -> UPDATE or DELETE, in order.
    `kept`: what stays -> why. `extra_files`: what takes more than a query. `erased_last`: what takes more than statements;
    it comes after them, and gives kind -> how many."""

    service: str
    exported: Mapping[str, str]
    erased: Mapping[str, str]
    kept: Mapping[str, str]
    blocked_by: Mapping[str, str] = field(default_factory=dict)
    opened: Mapping[str, Callable[[Row, Vault], Row]] = field(default_factory=dict)
    extra_files: Callable[[Any, Any, UUID], Awaitable[Files]] | None = None
    erased_last: Callable[[Any, UUID], Awaitable[dict[str, int]]] | None = None

    async def export(self, context: Any, work: Any, user_id: UUID) -> Files:
        """Every file, as JSON or bytes."""
        files: Files = {}
        for name, query in self.exported.items():
            limited = f"SELECT * FROM ({query}) AS found LIMIT {ROWS_MAX}"  # noqa: S608 both are ours
            rows = await work.connection.exec_driver_sql(limited, (user_id,))
            open_row = self.opened.get(name, _as_it_is)
            files[f"{name}.json"] = [open_row(dict(row._mapping), context.vault) for row in rows]
        if self.extra_files is not None:
            files.update(await self.extra_files(context, work, user_id))
        return files

    async def blockers(self, connection: AsyncConnection, user_id: UUID) -> list[ErasureBlocker]:
        """What stands in the way now."""
        found = []
        for code, query in self.blocked_by.items():
            rows = await connection.exec_driver_sql(query, (user_id,))
            found += [ErasureBlocker(code=code, detail=row[0]) for row in rows]
        return found

    async def erase(self, connection: AsyncConnection, user_id: UUID) -> dict[str, int]:
        """Forget the person; how many rows of what. Doing it again finds nothing more."""
        return {
            kind: (await connection.exec_driver_sql(statement, (user_id,))).rowcount for kind, statement in self.erased.items()
        }


def export_consumer(data: PersonalData) -> ConsumerTable:
    """The consumer that answers requests for a copy."""

    async def deliver_export_part(context: Any, delivery: Delivery[ExportRequested]) -> None:
        request = delivery.message
        async with context.unit_of_work(delivery) as work:
            files = await data.export(context, work, request.user_id)
            work.outbox.send(
                DeliverExportPart(
                    export_id=request.export_id,
                    service=data.service,
                    sealed=seal_part(context.vault, request.export_id, data.service, files),
                ),
                aggregate_id=request.export_id,
            )

    return {ExportRequested: deliver_export_part}


def privacy_consumers(data: PersonalData) -> ConsumerTable:
    """The consumers that answer auth's requests."""

    async def answer_erasure(context: Any, delivery: Delivery[ErasureRequested]) -> None:
        request = delivery.message
        async with context.unit_of_work(delivery) as work:
            blockers = await data.blockers(work.connection, request.user_id)
            answer = AnswerErasure(erasure_id=request.erasure_id, service=data.service, blockers=blockers)
            work.outbox.send(answer, aggregate_id=request.erasure_id)

    async def erase_person(context: Any, delivery: Delivery[ErasureDecided]) -> None:
        decided = delivery.message
        async with context.unit_of_work(delivery) as work:
            erased = await data.erase(work.connection, decided.user_id)
            if data.erased_last is not None:
                erased |= await data.erased_last(work, decided.user_id)
            kept = {**data.kept, "messages": MESSAGES_KEPT}
            report = ReportErasure(erasure_id=decided.erasure_id, service=data.service, erased=erased, kept=kept)
            work.outbox.send(report, aggregate_id=decided.erasure_id)

    return {**export_consumer(data), ErasureRequested: answer_erasure, ErasureDecided: erase_person}


def seal_part(vault: Vault, export_id: UUID, service: str, files: Files) -> bytes:
    """Files on their way to auth: nobody who reads messages reads them."""
    plain = {
        name: {"bytes": content.hex()} if isinstance(content, bytes) else {"json": content} for name, content in files.items()
    }
    body = json.dumps(plain, default=_text, ensure_ascii=False).encode()
    return vault.encrypt(zlib.compress(body), aad=_place(export_id, service))


def open_part(vault: Vault, export_id: UUID, service: str, sealed: bytes) -> dict[str, bytes]:
    """The files of a part by name. Raises `Undecryptable`."""
    body = json.loads(zlib.decompress(vault.decrypt(sealed, aad=_place(export_id, service))))
    return {
        name: bytes.fromhex(item["bytes"]) if "bytes" in item else json.dumps(item["json"], indent=2, ensure_ascii=False).encode()
        for name, item in body.items()
    }


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _place(export_id: UUID, service: str) -> str:
    return f"export:{export_id}:{service}"
