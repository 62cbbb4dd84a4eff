"""The pages and the JSON of the mailbox, all below `/mailbox`."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import BaseModel, ConfigDict

from runtime.mailbox.letters import Letter, LetterBox
from shared.http.app import create_app
from shared.identity.jwks import TokenVerifier
from shared.problems import NotFound

Recipient = Annotated[str | None, Query(alias="to", description="Only letters to this address", max_length=320)]
Limit = Annotated[int, Query(ge=1, le=200)]


class LetterNotFound(NotFound):
    """There is no such letter, or it was dropped to make room."""

    code = "letter_not_found"
    title = "No such letter"


class AttachmentOut(BaseModel):
    """A part of a letter that is not its text."""

    model_config = ConfigDict(from_attributes=True)

    filename: str
    content_type: str
    size_bytes: int


class LetterOut(BaseModel):
    """One caught e-mail. `sender` and `recipients` are of the SMTP envelope."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    received_at: datetime
    sender: str
    recipients: list[str]
    subject: str
    text: str
    html: str | None
    attachments: list[AttachmentOut]


class LettersOut(BaseModel):
    """The newest letters first."""

    items: list[LetterOut]


def mailbox_app(box: LetterBox, token_verifier: TokenVerifier) -> FastAPI:
    """The app that shows the letters in `box`."""
    return create_app(
        service="mailbox",
        title="Lendery: local mailbox",
        description="E-mail that the platform sent, caught on this machine.",
        routers=[_messages_router(box), _pages_router(box)],
        checks={},
        token_verifier=token_verifier,
        context=box,
    )


def _messages_router(box: LetterBox) -> APIRouter:
    router = APIRouter(prefix="/mailbox/messages", tags=["mailbox"])

    @router.get("", summary="The newest letters first")
    def list_messages(to: Recipient = None, limit: Limit = 50) -> LettersOut:
        return LettersOut(items=[LetterOut.model_validate(letter) for letter in box.recent(to=to, limit=limit)])

    @router.get("/{message_id}", summary="One letter")
    def get_message(message_id: UUID) -> LetterOut:
        return LetterOut.model_validate(_found(box, message_id))

    return router


def _pages_router(box: LetterBox) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    render = _renderer()

    @router.get("/mailbox")
    @router.get("/mailbox/")
    def show_list(to: Recipient = None, limit: Limit = 50) -> HTMLResponse:
        address = (to or "").strip()
        letters = box.recent(to=address or None, limit=limit)
        return render("list.html", letters=letters, to=address)

    @router.get("/mailbox/read/{message_id}")
    def show_letter(message_id: UUID) -> HTMLResponse:
        return render("letter.html", letter=_found(box, message_id))

    return router


def _found(box: LetterBox, letter_id: UUID) -> Letter:
    letter = box.read(letter_id)
    if letter is None:
        raise LetterNotFound("It was never here, or was dropped to make room for newer letters.")
    return letter


def _renderer() -> Callable[..., HTMLResponse]:
    environment = Environment(
        loader=PackageLoader("runtime.mailbox"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )

    def render(template: str, **values: object) -> HTMLResponse:
        # Letters are other people's HTML: nothing in them may run or load anything here.
        policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'"
        return HTMLResponse(
            environment.get_template(template).render(**values),
            headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
        )

    return render
