"""The pages that links in e-mails lead to: plain forms that work in every browser, without a script.

Opening a page changes nothing, so that mail programs which look into links do not use them up.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from services.auth.api.origin import RequestOrigin
from services.auth.commands.change_email import confirm_email_change
from services.auth.commands.change_password import reset_password
from services.auth.commands.link_identity import confirm_identity
from services.auth.commands.stop_factor_reset import stop_with_link
from services.auth.commands.verify_email import verify_email
from services.auth.context import Context, Ctx
from services.auth.domain.origin import Origin
from shared.problems import Problem

router = APIRouter(prefix="/v1/auth/pages", include_in_schema=False, default_response_class=HTMLResponse)

_templates = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=select_autoescape())
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}
LinkToken = Annotated[str, Query(max_length=200)]
FormText = Annotated[str, Form(max_length=1024)]


def _page(status: int = 200, **values: str) -> HTMLResponse:
    return HTMLResponse(_templates.get_template("page.html").render(values), status, _HEADERS)


@router.get("/reset-password")
async def show_reset_password(token: LinkToken = "") -> HTMLResponse:
    """Ask for the new password."""
    return _page(title="Choose a new password", button="Set password", token=token, field="password")


@router.post("/reset-password")
async def submit_reset_password(
    context: Ctx, origin: RequestOrigin, token: FormText = "", password: FormText = ""
) -> HTMLResponse:
    """Set the new password."""
    try:
        await reset_password(context, token, password, origin)
    except Problem as problem:
        again = {"button": "Set password", "token": token, "field": "password"} if problem.errors else {}
        return _page(problem.status, title="Choose another password" if again else problem.title, text=problem.detail, **again)
    return _page(title="Your password is set", text="You were logged out everywhere. Log in with the new password.")


@dataclass(frozen=True)
class _Confirmation:
    """A page with one button: what it says, what the button does, and what is said then."""

    path: str
    title: str
    text: str
    button: str
    confirm: Callable[[Context, str, Origin], Awaitable[Any]]
    done_title: str
    done_text: str


def _add(page: _Confirmation) -> None:
    @router.get(page.path)
    async def show(token: LinkToken = "") -> HTMLResponse:
        return _page(title=page.title, text=page.text, button=page.button, token=token)

    @router.post(page.path)
    async def submit(context: Ctx, origin: RequestOrigin, token: FormText = "") -> HTMLResponse:
        try:
            await page.confirm(context, token, origin)
        except Problem as problem:
            return _page(problem.status, title=problem.title, text=problem.detail)
        return _page(title=page.done_title, text=page.done_text)


for _one in (
    _Confirmation(
        "/verify-email",
        "Confirm your e-mail address",
        "Press the button if it was you who opened an account with this address.",
        "Confirm my address",
        verify_email,
        "Your e-mail address is confirmed",
        "You can close this page and go on where you were.",
    ),
    _Confirmation(
        "/change-email",
        "Confirm your new e-mail address",
        "Press the button if it was you who wants to use this address from now on.",
        "Use this address",
        confirm_email_change,
        "Your e-mail address is changed",
        "From now on, log in with the new one.",
    ),
    _Confirmation(
        "/link-identity",
        "Confirm how you sign on",
        "Press the button if it was you who has just signed on with another provider. It opens your account from then on.",
        "Yes, it was me",
        confirm_identity,
        "Your account is linked",
        "Sign on once more. You can close this page.",
    ),
    _Confirmation(
        "/stop-factor-reset",
        "Keep your second factors",
        "Press the button if it was not you who told our support that all of your second factors are lost.",
        "Stop the reset",
        stop_with_link,
        "The reset is stopped",
        "Your second factors stay as they are. Somebody may know your password: set a new one.",
    ),
):
    _add(_one)
