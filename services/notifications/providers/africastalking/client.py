"""The client of Africa's Talking."""

import httpx

from services.notifications.providers.africastalking.account import Account
from services.notifications.providers.africastalking.mapping import outcome_of_answer
from services.notifications.providers.base import Deferred, Outcome, Unreachable

_CONNECT_SECONDS = 5.0


class AfricasTalking:
    """Sends for `account`. An answer may take `timeout_seconds`; one that is lost leaves open whether the message left."""

    def __init__(self, account: Account, *, timeout_seconds: float) -> None:
        self._account = account
        self._http = httpx.AsyncClient(
            base_url=account.base_url,
            headers={"apiKey": account.api_key, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    async def send(self, number: str, words: str) -> Outcome:
        """Hand in one message. What becomes of it is in the outcome; nothing of the network's is raised."""
        form = {"username": self._account.username, "to": number, "message": words, "bulkSMSMode": "1"}
        if self._account.sender:
            form["from"] = self._account.sender
        try:
            answer = await self._http.post("/version1/messaging", data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Unreachable(type(error).__name__)
        except httpx.HTTPError as error:
            return Deferred(type(error).__name__, unknown=True)
        return outcome_of_answer(answer.status_code, answer.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
