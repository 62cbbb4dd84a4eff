"""Attacks on links in e-mails: they lead to the configured address, whatever a request says about hosts."""

import httpx
import pytest

from tests.service.auth.conftest import Person, Sent

SPOOFED = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "81"},
    {"Forwarded": "host=evil.example;proto=http"},
    {"X-Original-URL": "http://evil.example/", "X-Rewrite-URL": "http://evil.example/", "Origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", SPOOFED, ids=lambda headers: "+".join(headers))
async def test_spoofed_hosts(client: httpx.AsyncClient, amina: Person, sent: Sent, headers: dict[str, str]) -> None:
    body = {"email": "victim@example.com", "password": "a long enough secret", "full_name": "A Victim"}
    assert (await client.post("/v1/auth/register", json=body, headers=headers)).status_code == 201
    for path, sent_body in (
        ("/v1/auth/register", body),
        ("/v1/auth/password/forgot", {"email": amina.email}),
        ("/v1/auth/email/resend", {}),
        ("/v1/auth/email/change", {"email": "amina.new@example.com"}),
    ):
        answer = await client.post(path, json=sent_body, headers=headers | amina.headers)
        assert answer.status_code in (201, 202), answer.text
        assert "evil" not in answer.text
    mails = await sent("notifications.email.send")
    linked = [mail for mail in mails if "link" in mail["data"]]
    assert {mail["template"] for mail in linked} >= {"verify_email", "password_reset", "change_email", "registration_repeated"}
    for mail in linked:
        assert mail["data"]["link"].startswith("http://localhost:8000"), mail
    assert "evil" not in str(mails)
