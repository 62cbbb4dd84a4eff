"""Signed checkpoints of the ledger, and the keys to check them with."""

import json
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.problems import NoCheckpointKey
from services.wallet_ledger.queries.checkpoints import newest_checkpoint
from shared.http.auth import Support
from shared.http.schemas import Instant, View

router = APIRouter(tags=["ledger"])


class CheckpointTotalsView(View):
    """All accounts of a currency together. Minor units, as text."""

    debits: str = Field(examples=["1250000"])
    credits: str = Field(examples=["1250000"])
    pending_debits: str = Field(examples=["0"])
    pending_credits: str = Field(examples=["0"])


class CheckpointView(View):
    """Where the ledger stood. The signature is over everything else, as JSON with keys in order and no spaces (RFC 8785)."""

    type: str = Field(examples=["lendery.ledger.checkpoint"])
    version: int = Field(examples=[1])
    made_at: Instant
    sequence: int = Field(description="The last transaction that is counted", examples=[1200])
    block: int = Field(description="The block that it ends", examples=[7])
    block_hash: str = Field(description="SHA-256 over that block's rows and the block before")
    trial_balance: dict[str, CheckpointTotalsView] = Field(description="By currency")
    algorithm: str = Field(examples=["Ed25519"])
    key_id: str
    signature: str = Field(description="base64url")


class CheckpointKeySetView(View):
    """A JSON Web Key Set (RFC 7517, RFC 8037)."""

    keys: list[dict[str, Any]]


@router.get("/v1/admin/ledger/checkpoint", response_model=CheckpointView)
async def get_newest_checkpoint(context: Ctx, _: Support) -> Response:
    """The newest checkpoint, signed. Keep it where nobody who can change the database can change it too.

    `lendery verify --against FILE` says later whether the ledger still goes on from there.
    """
    if not context.checkpoint_keys.can_sign:
        raise NoCheckpointKey("Set LENDERY_LEDGER_CHECKPOINT_KEYS of the wallet-ledger service.")
    document = context.checkpoint_keys.sign(await newest_checkpoint(context))
    # As it was signed: a model would write the instant its own way.
    return Response(json.dumps(document, indent=2), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/.well-known/ledger-keys.json")
async def get_checkpoint_keys(context: Ctx, response: Response) -> CheckpointKeySetView:
    """The public keys with which anybody can check a checkpoint; choose by `kid`. Keep a copy of those that you trust."""
    response.headers["Cache-Control"] = "public, max-age=3600"
    return CheckpointKeySetView.model_validate(context.checkpoint_keys.jwks())
