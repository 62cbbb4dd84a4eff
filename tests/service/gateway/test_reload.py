"""Routes and limits that change while requests are under way."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.routing import RouteTableInvalid
from tests.service.gateway.conftest import StartGateway
from tests.service.gateway.upstream import EchoUpstream


def _write(file: Path, **content: Any) -> None:
    file.write_text(json.dumps(content))


async def test_a_change_takes_effect_without_a_restart(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    _write(file)
    async with start_gateway(gateway_routes_file=file) as gateway:
        assert (await gateway.http.get("/v1/new-thing", headers=as_user)).status_code == 404
        before = asyncio.create_task(gateway.http.get("/v1/wallets?do=stall", headers=as_user))
        await upstream.until_seen(1)
        _write(
            file,
            limits={"read": "2/60"},
            routes=[
                {"methods": ["GET"], "pattern": "/v1/new-thing", "service": "lending"},
                {"methods": ["GET"], "pattern": "/v1/wallets", "roles": ["admin"]},
            ],
        )
        assert gateway.app.state.reload()
        answer = await gateway.http.get("/v1/new-thing", headers=as_user)
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"read";q=2;w=60'
        assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 403
        upstream.go_on.set()
        assert (await before).status_code == 200, "what was under way goes on by the table that it began with"


async def test_the_file_is_watched(start_gateway: StartGateway, as_user: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    _write(file)
    async with start_gateway(gateway_routes_file=file) as gateway:
        _write(file, routes=[{"methods": ["GET"], "pattern": "/v1/new-thing", "service": "lending"}])
        async with asyncio.timeout(60):
            while (await gateway.http.get("/v1/new-thing", headers=as_user)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[]",
        '{"routes": [{"methods": ["GET"], "pattern": "/v1/new-thing"}]}',
        '{"routes": [{"methods": ["GET"], "pattern": "/v1/new-thing", "service": "nobody"}]}',
        '{"routes": [{"methods": ["GET"], "pattern": "/v1/wallets", "timeout_seconds": -1}]}',
        '{"routes": [{"methods": ["GET"], "pattern": "/v1/wallets", "timeout": 5}]}',
        '{"routes": [{"pattern": "/v1/wallets", "timeout_seconds": 5}]}',
        '{"limits": {"unheard": "1/1"}}',
        '{"limits": {"read": "fast"}}',
        '{"something": 1}',
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    start_gateway: StartGateway, as_user: dict[str, str], tmp_path: Path, wrong: str
) -> None:
    file = tmp_path / "routes.json"
    _write(file, limits={"read": "7/60"})
    async with start_gateway(gateway_routes_file=file) as gateway:
        file.write_text(wrong)
        assert not gateway.app.state.reload()
        answer = await gateway.http.get("/v1/wallets", headers=as_user)
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (200, '"read";q=7;w=60')
    with pytest.raises(RouteTableInvalid):
        async with start_gateway(gateway_routes_file=file):
            pass
