"""The SMTP server that catches e-mail, in the event loop of the platform."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime.mailbox.letters import LetterBox

# It logs every command, addresses included.
logging.getLogger("mail.log").setLevel(logging.WARNING)

_LARGEST_LETTER_BYTES = 10 * 1024 * 1024
_IDLE_SECONDS = 60.0


class _Catcher:
    """What aiosmtpd calls for each letter."""

    def __init__(self, box: LetterBox) -> None:
        self._box = box

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the letter; the answer to the sender."""
        content = envelope.original_content or b""
        letter_id = await asyncio.to_thread(self._box.keep, envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 Kept as {letter_id}"


@asynccontextmanager
async def catch_mail(box: LetterBox, *, port: int = 0) -> AsyncIterator[int]:
    """Accept e-mail on a loopback port (any free one by default) into `box`; the port. Raises OSError when taken."""
    listener = socket.create_server(("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    protocol = partial(
        SMTP,
        _Catcher(box),
        data_size_limit=_LARGEST_LETTER_BYTES,
        enable_SMTPUTF8=True,
        hostname="localhost",  # else it looks up the machine's name, which takes long without a network
        timeout=_IDLE_SECONDS,
        loop=loop,
    )
    server = await loop.create_server(protocol, sock=listener)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.close()
