"""What deposits and withdrawals check alike: whose wallet it is, its currency, and what the provider can do."""

from collections.abc import Mapping
from uuid import UUID

from services.payments.context import Context
from services.payments.domain.problems import CurrencyMismatch, ProviderCannot, UnknownProvider, WalletClosed, WalletNotFound
from services.payments.providers.base import Provider
from services.payments.store.wallets import Wallet, WalletStore
from shared.db import eventually
from shared.money import format_minor


async def check_wallet(context: Context, user_id: UUID, wallet_id: UUID, currency: str) -> None:
    """The wallet is the user's and in `currency`. Raises `WalletNotFound`, `WalletClosed` or `CurrencyMismatch`.

    A wallet opened a moment ago may not have been told to us yet, so this waits a little before it says no.
    """

    async def look() -> Wallet | None:
        async with context.read() as connection:
            return await WalletStore(connection).find_for(user_id, wallet_id)

    wallet = await eventually(look)
    if wallet is None:
        raise WalletNotFound("Use the id of one of your wallets: GET /v1/wallets lists them.")
    if wallet.closed:
        raise WalletClosed("Use another of your wallets: GET /v1/wallets lists them.")
    if wallet.currency != currency:
        raise CurrencyMismatch(f"The wallet is in {wallet.currency}, the request in {currency}. Use the wallet's currency.")


def check_provider(context: Context, name: str, currency: str, amount_minor: int) -> Provider:
    """The provider, which moves this amount. Raises `UnknownProvider` or `ProviderCannot`."""
    provider = _provider(context, name)
    if not provider.capabilities.takes(currency, amount_minor):
        raise ProviderCannot(
            f"{name} does not move {currency} {format_minor(amount_minor, currency)}. "
            "GET /v1/payment-providers has its currencies and limits."
        )
    return provider


def check_destination(context: Context, name: str, destination: Mapping[str, str]) -> tuple[Provider, Mapping[str, str]]:
    """The provider, and the destination as it pays to it. Raises `UnknownProvider`, `ProviderCannot`, `DestinationRefused`."""
    provider = _provider(context, name)
    if not provider.capabilities.supports_payout:
        raise ProviderCannot(f"{name} does not pay out. GET /v1/payment-providers says which do.")
    return provider, provider.check_destination(destination)


def _provider(context: Context, name: str) -> Provider:
    provider = context.providers.get(name)
    if provider is None:
        raise UnknownProvider("Use a name from GET /v1/payment-providers.")
    return provider
