"""Where no provider of text messages is configured."""

from services.notifications.providers.base import Outcome, Refused


class NoPhone:
    """Sends nothing, and says so."""

    async def send(self, number: str, words: str) -> Outcome:
        """Refuse the message."""
        return Refused("not_configured")

    async def close(self) -> None:
        """Nothing is open."""
