"""The pages that links in e-mails lead to: plain forms that work in every browser, without a script.

Opening a page changes nothing, so that mail programs which look into links do not use them up.
"""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from services.auth.api.origin import RequestOrigin
from services.auth.commands.change_email import confirm_email_change
from services.auth.commands.change_password import reset_password
from services.auth.commands.link_identity import confirm_identity
from services.auth.commands.stop_factor_reset import stop_with_link
from services.auth.commands.verify_email import verify_email
from services.auth.context import Ctx
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


@router.get("/verify-email")
async def show_verify_email(token: LinkToken = "") -> HTMLResponse:
    """Ask to confirm the address."""
    return _page(
        title="Confirm your e-mail address",
        text="Press the button if it was you who opened an account with this address.",
        button="Confirm my address",
        token=token,
    )


@router.post("/verify-email")
async def submit_verify_email(context: Ctx, origin: RequestOrigin, token: FormText = "") -> HTMLResponse:
    """Confirm the address."""
    try:
        await verify_email(context, token, origin)
    except Problem as problem:
        return _page(problem.status, title=problem.title, text=problem.detail)
    return _page(title="Your e-mail address is confirmed", text="You can close this page and go on where you were.")


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


@router.get("/change-email")
async def show_change_email(token: LinkToken = "") -> HTMLResponse:
    """Ask to confirm the new address."""
    return _page(
        title="Confirm your new e-mail address",
        text="Press the button if it was you who wants to use this address from now on.",
        button="Use this address",
        token=token,
    )


@router.post("/change-email")
async def submit_change_email(context: Ctx, origin: RequestOrigin, token: FormText = "") -> HTMLResponse:
    """Change the address."""
    try:
        user = await confirm_email_change(context, token, origin)
    except Problem as problem:
        return _page(problem.status, title=problem.title, text=problem.detail)
    return _page(title="Your e-mail address is changed", text=f"From now on, log in with {user.email}.")


@router.get("/link-identity")
async def show_link_identity(token: LinkToken = "") -> HTMLResponse:
    """Ask to confirm the identity."""
    return _page(
        title="Confirm how you sign on",
        text="Press the button if it was you who has just signed on with another provider. It opens your account from then on.",
        button="Yes, it was me",
        token=token,
    )


@router.post("/link-identity")
async def submit_link_identity(context: Ctx, origin: RequestOrigin, token: FormText = "") -> HTMLResponse:
    """Link the identity."""
    try:
        await confirm_identity(context, token, origin)
    except Problem as problem:
        return _page(problem.status, title=problem.title, text=problem.detail)
    return _page(title="Your account is linked", text="Sign on once more. You can close this page.")


@router.get("/stop-factor-reset")
async def show_stop_factor_reset(token: LinkToken = "") -> HTMLResponse:
    """Ask whether to stop it."""
    return _page(
        title="Keep your second factors",
        text="Press the button if it was not you who told our support that all of your second factors are lost.",
        button="Stop the reset",
        token=token,
    )


@router.post("/stop-factor-reset")
async def submit_stop_factor_reset(context: Ctx, origin: RequestOrigin, token: FormText = "") -> HTMLResponse:
    """Stop it."""
    try:
        await stop_with_link(context, token, origin)
    except Problem as problem:
        return _page(problem.status, title=problem.title, text=problem.detail)
    return _page(
        title="The reset is stopped",
        text="Your second factors stay as they are. Somebody may know your password: set a new one.",
    )
