"""Caught e-mail on disk: one .eml file each, the newest kept, the oldest dropped."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern_policy
from itertools import islice
from pathlib import Path
from uuid import UUID

from shared.ids import new_id

KEPT_LETTERS = 1000
_ENVELOPE_HEADER = "X-Lendery-Envelope"


@dataclass(frozen=True)
class Attachment:
    """A part of a letter that is not its text."""

    filename: str
    content_type: str
    size_bytes: int


@dataclass(frozen=True)
class Letter:
    """One e-mail as it was handed in. `sender` and `recipients` are of the SMTP envelope, hidden copies included."""

    id: UUID
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str | None
    attachments: tuple[Attachment, ...]


class LetterBox:
    """The letters in one directory, at most `capacity`. Safe to use from several threads of one process."""

    def __init__(self, directory: Path, capacity: int = KEPT_LETTERS) -> None:
        self._directory = directory
        self._capacity = capacity
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Ids are in order of time. Recipients are kept at hand because tests poll for letters to one address.
        self._recipients = {UUID(file.stem): _recipients_of(file) for file in sorted(directory.glob("*.eml"))}

    def keep(self, sender: str, recipients: Sequence[str], content: bytes) -> UUID:
        """Store an e-mail, drop the oldest beyond the capacity; the id of the new one."""
        envelope = {"from": sender, "to": list(recipients), "at": datetime.now(UTC).isoformat()}
        header = f"{_ENVELOPE_HEADER}: {json.dumps(envelope)}\r\n".encode()
        with self._lock:
            letter_id = new_id()
            draft = self._file(letter_id).with_suffix(".draft")
            draft.write_bytes(header + content)
            draft.rename(self._file(letter_id))
            self._recipients[letter_id] = _folded(recipients)
            while len(self._recipients) > self._capacity:
                oldest = next(iter(self._recipients))
                del self._recipients[oldest]
                self._file(oldest).unlink(missing_ok=True)
        return letter_id

    def recent(self, *, to: str | None = None, limit: int = 50) -> list[Letter]:
        """The newest letters first, only those to one address if it is given."""
        with self._lock:
            newest_first = list(reversed(self._recipients.items()))
        wanted = (letter_id for letter_id, known in newest_first if to is None or to.casefold() in known)
        letters = (self.read(letter_id) for letter_id in islice(wanted, limit))
        return [letter for letter in letters if letter is not None]

    def read(self, letter_id: UUID) -> Letter | None:
        """One letter, or None when it was never there or has been dropped."""
        try:
            return _parse(letter_id, self._file(letter_id).read_bytes())
        except FileNotFoundError:
            return None

    def _file(self, letter_id: UUID) -> Path:
        return self._directory / f"{letter_id}.eml"


def _folded(addresses: Sequence[str]) -> frozenset[str]:
    return frozenset(address.casefold() for address in addresses)


def _recipients_of(file: Path) -> frozenset[str]:
    """Whom a stored letter went to: its first line says so."""
    with file.open("rb") as content:
        envelope = json.loads(content.readline().partition(b": ")[2])
    return _folded(envelope["to"])


def _parse(letter_id: UUID, content: bytes) -> Letter:
    message = BytesParser(EmailMessage, policy=modern_policy).parsebytes(content)
    envelope = json.loads(str(message[_ENVELOPE_HEADER]))
    return Letter(
        id=letter_id,
        received_at=datetime.fromisoformat(envelope["at"]),
        sender=envelope["from"],
        recipients=tuple(envelope["to"]),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain") or "",
        html=_body(message, "html"),
        attachments=tuple(_attachment(part) for part in message.iter_attachments()),
    )


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except LookupError:  # a character set that Python does not know
        payload = part.get_payload(decode=True)
        return payload.decode("ascii", errors="replace") if isinstance(payload, bytes) else ""


def _attachment(part: EmailMessage) -> Attachment:
    payload = part.get_payload(decode=True)
    size_bytes = len(payload) if isinstance(payload, bytes) else len(part.as_bytes())
    return Attachment(part.get_filename() or "unnamed", part.get_content_type(), size_bytes)
