"""What one person does with the public API. Nothing here knows how the platform works inside."""

import asyncio
import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx

Json = dict[str, Any]

WAIT_SECONDS = 20


class Refused(Exception):
    """The platform answered with a problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code = str(problem.get("code"))
        self.detail = str(problem.get("detail"))


class Person:
    """Somebody with an account and an access token, or about to have one."""

    def __init__(self, http: httpx.AsyncClient, email: str, password: str, full_name: str) -> None:
        self.http = http
        self.email = email
        self.password = password
        self.full_name = full_name
        self.token = ""

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, wait: bool = False, **query: object
    ) -> Json:
        """The JSON answer of one call. POSTs carry a new idempotency key unless one is given. Raises `Refused`."""
        answer = await self.send(method, path, body, key=key, wait=wait, **query)
        if answer.is_error:
            raise Refused(answer.status_code, answer.json())
        return dict(answer.json()) if answer.content else {}

    async def send(
        self, method: str, path: str, body: object = None, *, key: str | None = None, wait: bool = False, **query: object
    ) -> httpx.Response:
        """The answer of one call, whatever it is."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        if wait:
            headers["Prefer"] = f"wait={WAIT_SECONDS}"
        given = {name: str(value) for name, value in query.items() if value is not None}
        return await self.http.request(method, path, json=body, headers=headers, params=given or None)

    async def register(self) -> None:
        """Open an account; one that exists is fine."""
        await self.call(
            "POST", "/v1/auth/register", {"email": self.email, "password": self.password, "full_name": self.full_name}
        )

    async def log_in(self) -> None:
        """Get an access token."""
        answer = await self.call("POST", "/v1/auth/login", {"email": self.email, "password": self.password})
        self.token = answer["access_token"]

    async def confirm_email(self) -> bool:
        """Follow the link in the newest message of the local mailbox; False when there is no mailbox or no message."""
        for _ in range(40):
            answer = await self.http.get("/mailbox/messages", params={"to": self.email, "limit": "20"})
            if answer.status_code != 200:
                return False
            for message in answer.json()["items"]:
                if token := await self._token_in(message["id"]):
                    await self.call("POST", "/v1/auth/email/verify", {"token": token})
                    await self.log_in()
                    return True
            await asyncio.sleep(0.1)
        return False

    async def _token_in(self, message_id: str) -> str | None:
        message = (await self.http.get(f"/mailbox/messages/{message_id}")).json()
        for link in re.findall(r"https?://[^\s\"'<>]+", message["text"]):
            found = parse_qs(urlsplit(link).query).get("token") or parse_qs(urlsplit(link).fragment).get("token")
            if found:
                return str(found[0])
        return None

    async def hand_in_kyc(self, document_number: str) -> str:
        """Hand in identity details; the id of the submission."""
        answer = await self.call(
            "POST",
            "/v1/kyc",
            {
                "full_name": self.full_name,
                "date_of_birth": "1990-04-12",
                "country": "KE",
                "address": "12 Harbour Road, Mombasa",
                "document_type": "passport",
                "document_number": document_number,
            },
        )
        return str(answer["id"])

    async def wallet(self, currency: str) -> Json:
        """The first wallet in `currency`."""
        wallets = (await self.call("GET", "/v1/wallets"))["items"]
        return next(dict(wallet) for wallet in reversed(wallets) if wallet["currency"] == currency)

    async def deposit(self, amount: int, currency: str, *, outcome: str = "approve") -> Json:
        """Pay in through the sandbox provider's page; the deposit once it has settled."""
        wallet = await self.wallet(currency)
        deposit = await self.call(
            "POST",
            "/v1/deposits",
            {"wallet_id": wallet["id"], "amount": amount, "currency": currency, "provider": "sandbox"},
        )
        await self.http.post(deposit["checkout_url"], data={"outcome": outcome})
        return await self.until_settled(f"/v1/deposits/{deposit['id']}", {"pending"})

    async def withdraw(self, amount: int, currency: str, account: str) -> Json:
        """Pay out to a bank account of the sandbox provider; the withdrawal once it has settled."""
        wallet = await self.wallet(currency)
        withdrawal = await self.call(
            "POST",
            "/v1/withdrawals",
            {
                "wallet_id": wallet["id"],
                "amount": amount,
                "currency": currency,
                "provider": "sandbox",
                "destination": {"account": account},
            },
            wait=True,
        )
        return await self.until_settled(f"/v1/withdrawals/{withdrawal['id']}", {"pending", "processing"})

    async def until_settled(self, path: str, unsettled: set[str]) -> Json:
        """The resource at `path` once its status is none of `unsettled`. Raises `TimeoutError` after 20 seconds."""
        found: Json = {}
        for _ in range(WAIT_SECONDS * 20):
            found = await self.call("GET", path)
            if found["status"] not in unsettled:
                return found
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{path} is still {found['status']} after {WAIT_SECONDS} seconds")

    async def invest(self, loan_id: str, amount: int, currency: str) -> Json:
        """Put money into a loan that is being funded; the investment once it is held or rejected."""
        wallet = await self.wallet(currency)
        body = {"amount": amount, "wallet_id": wallet["id"]}
        return await self.call("POST", f"/v1/loans/{loan_id}/investments", body, wait=True)

    async def repay(self, loan_id: str, amount: int, currency: str) -> Json:
        """Pay on a loan; the repayment once it is completed or rejected."""
        wallet = await self.wallet(currency)
        body = {"amount": amount, "wallet_id": wallet["id"]}
        return await self.call("POST", f"/v1/loans/{loan_id}/repayments", body, wait=True)

    async def schedule(self, loan_id: str) -> list[Json]:
        """What is due when on a loan, and what was paid."""
        return list((await self.call("GET", f"/v1/loans/{loan_id}/schedule"))["installments"])

    async def close_business(self, day: date) -> Json:
        """As an administrator: run everything that is due up to `day`."""
        return await self.call("POST", "/v1/admin/close-of-business", {"date": day.isoformat()})

    async def letters(self) -> int:
        """How many messages the local mailbox has for this person; 0 when there is no mailbox."""
        answer = await self.http.get("/mailbox/messages", params={"to": self.email, "limit": "200"})
        return len(answer.json()["items"]) if answer.status_code == 200 else 0
