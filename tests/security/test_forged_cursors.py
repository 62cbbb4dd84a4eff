"""Cursors that no list ever gave, on every list there is: from the merged document, so that a new list cannot be forgotten."""

import base64
import json
import re
import secrets

import httpx
import pytest

from runtime.demo.client import Person
from shared.ids import new_id
from tests.contract.conftest import Stage, stage

__all__ = ["stage"]

pytestmark = pytest.mark.xdist_group("forged cursors")


def _sealed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


FORGED = (
    "forged",
    "....",
    "e30",
    "\u20ac",
    "' OR 1=1 --",
    "A" * 513,
    _sealed({"after": None}),
    _sealed({"after": 1}),
    _sealed({"after": "' OR '1'='1"}),
    _sealed({"after": [str(new_id())]}),
    _sealed([str(new_id())]),
    _sealed("x"),
    _sealed({"before": str(new_id())}),
    base64.urlsafe_b64encode(b"[" * 300).decode(),
)


async def test_forged_cursors_on_every_list(stage: Stage) -> None:
    wrong: list[str] = []
    async with httpx.AsyncClient(base_url=stage.platform.url, timeout=60, trust_env=False) as http:
        document = (await http.get("/openapi.json")).json()
        lists = [
            path
            for path, item in document["paths"].items()
            if any(parameter["name"] == "cursor" for parameter in item.get("get", {}).get("parameters", ()))
        ]
        assert len(lists) >= 10
        admin = Person(http, "admin@lendery.test", "admin-local-only", "Administrator")
        await admin.log_in()
        person = Person(http, f"eve-{secrets.token_hex(4)}@lendery.test", "a-long-test-password", "Test Eve")
        await person.register()
        await person.log_in()
        for path in lists:
            caller = admin if "/admin/" in path else person
            address = re.sub(r"\{[^}]*\}", str(new_id()), path)
            headers = {"Authorization": f"Bearer {caller.token}"}
            for cursor in FORGED:
                answer = await http.get(address, params={"cursor": cursor}, headers=headers)
                # 404 and 403: whose list it is was looked at first.
                if answer.status_code not in (403, 404, 422):
                    wrong.append(f"{path} {cursor[:40]}: {answer.status_code} {answer.text[:200]}")
            # A cursor of the right form, of somebody else's row or of none, opens nobody else's list.
            elsewhere = await http.get(address, params={"cursor": _sealed({"after": str(new_id())})}, headers=headers)
            if elsewhere.status_code >= 500 or (caller is person and elsewhere.status_code == 200 and "@" in elsewhere.text):
                wrong.append(f"{path}: {elsewhere.status_code} {elsewhere.text[:200]}")
    assert not wrong, "\n".join(wrong)
