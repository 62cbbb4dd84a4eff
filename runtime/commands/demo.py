"""`lendery demo`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import httpx

Url = Annotated[
    str | None,
    typer.Option(
        help="The platform to play on. Without it: one running on LENDERY_PORT that simulates, else one started for the demo."
    ),
]
AdminEmail = Annotated[str, typer.Option(help="An administrator of that platform.")]
AdminPassword = Annotated[str, typer.Option(envvar="LENDERY_ADMIN_PASSWORD", help="Its password.")]


def demo(
    url: Url = None,
    admin_email: AdminEmail = "admin@lendery.test",
    admin_password: AdminPassword = "admin-local-only",  # noqa: S107 it is the documented local one
) -> None:
    """Play the lending story on a platform, step by step.

    A borrower, three lenders and an administrator: accounts, identity checks, deposits, a loan, its funding, six months of
    repayments, a transfer, withdrawals, and at the end the books. It needs a platform that simulates future business dates
    (LENDERY_SIMULATION=1); one that is started for the demo is gone afterwards.
    """
    import asyncio
    from contextlib import ExitStack

    with ExitStack() as stack:
        if url is None:
            url = _running_platform(admin_email, admin_password)
        if url is None:
            from runtime.console import err
            from runtime.demo.own_platform import own_platform

            err().print("No platform here simulates future dates: one is started for the demo, and gone afterwards.", style="dim")
            url = stack.enter_context(own_platform())
        raise typer.Exit(asyncio.run(_play(url, admin_email, admin_password)))


def _running_platform(admin_email: str, admin_password: str) -> str | None:
    """The platform on this machine's LENDERY_PORT, if one answers there that can play the story."""
    import asyncio
    import os

    import httpx

    from runtime.demo.client import Person, Refused

    url = f"http://localhost:{os.environ.get('LENDERY_PORT') or 8000}"

    async def simulates() -> bool:
        async with _http(url) as http:
            admin = Person(http, admin_email, admin_password, "Administrator")
            await admin.log_in()
            return bool((await admin.call("GET", "/v1/admin/close-of-business"))["simulation"])

    try:
        return url if asyncio.run(simulates()) else None
    except (httpx.HTTPError, Refused, ValueError, KeyError):
        return None


async def _play(url: str, admin_email: str, admin_password: str) -> int:
    import secrets

    import httpx

    from runtime.console import out
    from runtime.demo.client import Refused
    from runtime.demo.narrator import TerminalNarrator
    from runtime.demo.story import Story
    from runtime.trouble import ExitCode, Trouble

    try:
        async with _http(url) as http:
            narrator = TerminalNarrator(out())
            outcome = await Story(http, narrator, secrets.token_hex(3), admin_email, admin_password).play()
    except httpx.HTTPError as error:
        raise Trouble(ExitCode.SERVER_UNREACHABLE, f"{url} does not answer: {error or type(error).__name__}") from error
    except Refused as refused:
        hint = "Start the platform with LENDERY_SIMULATION=1." if refused.code == "business_date_in_future" else ""
        raise Trouble(ExitCode.FAULT, f"The story stopped: {refused}", hint=hint) from refused
    return ExitCode.OK if outcome.verification["sound"] else ExitCode.FAULT


def _http(url: str) -> "httpx.AsyncClient":
    import httpx

    return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)
