"""Servers in our event loop: ports bound first, lifespans entered, failures told, requests under way finished."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from runtime.http_server import HttpServer, address, bind, serving
from runtime.trouble import ExitCode, Trouble


def test_a_taken_port_is_told_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble) as caught:
            bind("127.0.0.1", port)
    assert caught.value.exit_code == ExitCode.PORT_TAKEN
    assert str(port) in caught.value.message
    assert "LENDERY_PORT" in caught.value.hint


def test_a_server_on_every_interface_has_an_address_that_can_be_called() -> None:
    with bind("0.0.0.0", 0) as listener:  # noqa: S104
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_the_lifespan_is_entered_before_and_left_after() -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        happened.append("entered")
        yield
        happened.append("left")

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def root() -> str:
        happened.append("answered")
        return "here"

    listener = bind("127.0.0.1", 0)
    url = address(listener)
    async with serving(HttpServer("test", app, listener)), httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).json() == "here"
    assert happened == ["entered", "answered", "left"]
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_lifespan_that_fails_is_told_and_does_not_end_the_process() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    with pytest.raises(Trouble) as caught:
        async with serving(HttpServer("test", FastAPI(lifespan=lifespan), bind("127.0.0.1", 0))):
            pass
    assert caught.value.exit_code == ExitCode.SERVICE_FAILED
    assert "test did not start" in caught.value.message


async def test_a_request_under_way_is_answered_before_the_server_ends() -> None:
    app = FastAPI()
    begun = asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        begun.set()
        await asyncio.sleep(0.3)
        return "done"

    listener = bind("127.0.0.1", 0)
    url = address(listener)
    async with httpx.AsyncClient(trust_env=False) as client:
        async with serving(HttpServer("test", app, listener)):
            asking = asyncio.create_task(client.get(f"{url}/slow"))
            await begun.wait()
        assert (await asking).json() == "done"
