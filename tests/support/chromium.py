"""A real browser without a screen, driven over its DevTools protocol."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
_START_SECONDS = 60.0


def chromium_path() -> str | None:
    """The browser of this machine, if it has one."""
    return shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run one command of the protocol; its result."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=_START_SECONDS)
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    async def open(self, url: str) -> None:
        """Go to `url` and wait until it is there."""
        await self.command("Page.enable")
        await self.command("Page.navigate", url=url)
        async with asyncio.timeout(_START_SECONDS):
            while await self.run("document.readyState + location.href") != f"complete{url}":  # noqa: ASYNC110 it tells nobody
                await asyncio.sleep(0.1)

    async def run(self, script: str) -> Any:
        """What an expression of JavaScript gives; promises are waited for."""
        found = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Page]:
    """A browser with one empty page."""
    path = chromium_path()
    assert path is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            path,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port_of(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [target for target in await answer.json() if target["type"] == "page"]
                async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _port_of(file: Path) -> str:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            lines = file.read_text().splitlines() if file.exists() else []  # noqa: ASYNC240 a few bytes
            if lines:
                return lines[0]
            await asyncio.sleep(0.1)
