"""Checkpoints as an operator fetches them and as an outsider checks them."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.wallet_ledger.commands.seal_blocks import seal_blocks
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World, move, transaction
from tests.support.identity import bearer


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_an_outsider_can_check_what_an_operator_fetched(world: World) -> None:
    support = bearer(new_id(), roles=["support"])
    nothing = await world.client.get("/v1/admin/ledger/checkpoint", headers=support)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_sealed")
    ann, ben = await world.person(1_000), await world.person()
    await world.poster.post(transaction(move(ann.account, ben.account, 300)))
    await seal_blocks(world.context)
    await world.poster.post(transaction(move(ann.account, ben.account, 1)))

    answer = await world.client.get("/v1/admin/ledger/checkpoint", headers=support)
    keys = (await world.client.get("/.well-known/ledger-keys.json")).json()["keys"]

    checkpoint = answer.json()
    assert (checkpoint["sequence"], checkpoint["block"]) == (2, 1)
    assert checkpoint["trial_balance"] == {
        "KES": {"debits": "1300", "credits": "1300", "pending_debits": "0", "pending_credits": "0"}
    }
    # As it is documented, and with nothing of ours.
    signature = _bytes(checkpoint.pop("signature"))
    signed = json.dumps(checkpoint, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    (key,) = (key for key in keys if key["kid"] == checkpoint["key_id"])
    Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(signature, signed)
    assert (await world.client.get("/v1/admin/ledger/checkpoint", headers=ann.headers)).status_code == 403
