"""The sandbox's words in ours: signatures, statuses, destinations."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from services.payments.providers.base import (
    DestinationRefused,
    Failure,
    NeverSeen,
    StillPending,
    Success,
    Unknown,
)
from services.payments.providers.sandbox import mapping
from services.payments.providers.sandbox.client import SandboxProvider
from services.payments.providers.sandbox.server.settings import SANDBOX_LOCAL_SECRET, SandboxSettings
from services.payments.providers.sandbox.server.webhook_queue import pause_after
from services.payments.providers.sandbox.webhooks import parse_webhook
from services.payments.settings import Settings
from shared.webhooks import WebhookForged, WebhookStale, WebhookUnreadable, sign

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "shared"
BODY = json.dumps({"id": "evt_1", "type": "payment.succeeded", "data": {"reference": "dep_1"}}).encode()


def headers(secret: str = SECRET, signed_at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return {"sandbox-signature": sign(secret, signed_at, body)}


def test_a_signature_is_over_time_and_body():
    # Computed with the openssl command line: printf '1767323045.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
    signed = sign("whsec_test", datetime.fromtimestamp(1767323045, UTC), b'{"id":"evt_1"}')
    assert signed == "t=1767323045,v1=f121f4aa13380581f2a95e878fd1621b234c7b263c1fecff2bc3a8ef778d5957"


def test_a_right_and_fresh_webhook_is_read():
    event = parse_webhook(SECRET, headers(), BODY, NOW + timedelta(minutes=5))
    assert (event.key, event.type, event.reference) == ("evt_1", "payment.succeeded", "dep_1")


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"sandbox-signature": ""},
        {"sandbox-signature": "t=1,v1=00"},
        {"sandbox-signature": headers()["sandbox-signature"].replace("v1=", "v2=")},
        {"sandbox-signature": headers()["sandbox-signature"] + ",v1=" + "0" * 64},
        headers(secret="another"),
        headers(body=BODY + b" "),
        {"sandbox-signature": headers()["sandbox-signature"].replace("t=1", "t=2", 1)},
    ],
)
def test_a_webhook_with_a_wrong_signature_is_refused(forged):
    with pytest.raises(WebhookForged):
        parse_webhook(SECRET, forged, BODY, NOW)


@pytest.mark.parametrize("seconds", [301, -301, 86_400])
def test_a_webhook_signed_at_another_time_is_refused(seconds):
    with pytest.raises(WebhookStale):
        parse_webhook(SECRET, headers(), BODY, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"id": "evt_1"}',
        b'{"id": 1, "type": "t", "data": {"reference": "r"}}',
        b'{"id": "", "type": "t", "data": {"reference": "r"}}',
        b'{"id": "e", "type": "t", "data": "r"}',
        json.dumps({"id": "e" * 201, "type": "t", "data": {"reference": "r"}}).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body):
    with pytest.raises(WebhookUnreadable):
        parse_webhook(SECRET, headers(body=body), body, NOW)


PAYMENT = {"id": "p", "reference": "dep_1", "amount": 500, "currency": "KES"}


def test_only_a_documented_yes_is_success():
    found = mapping.read_payment(200, {**PAYMENT, "status": "succeeded"})
    assert isinstance(found, Success)
    assert (found.value.reference, found.value.amount_minor, found.value.currency) == ("dep_1", 500, "KES")


@pytest.mark.parametrize(("status", "code"), [("declined", "payment_declined"), ("expired", "payment_expired")])
def test_only_a_documented_no_is_failure(status, code):
    found = mapping.read_payment(200, {**PAYMENT, "status": status})
    assert isinstance(found, Failure)
    assert found.code == code


@pytest.mark.parametrize(
    ("http_status", "body", "kind"),
    [
        (200, {**PAYMENT, "status": "pending"}, StillPending),
        (404, {"code": "unknown_reference"}, NeverSeen),
        (404, {"code": "not_found"}, Unknown),
        (404, "nothing here", Unknown),
        (200, {**PAYMENT, "status": "SUCCEEDED"}, Unknown),
        (200, {**PAYMENT, "status": "on_fire"}, Unknown),
        (200, {**PAYMENT, "status": "succeeded", "amount": "500"}, Unknown),
        (200, {**PAYMENT, "status": "succeeded", "amount": 500.0}, Unknown),
        (200, {**PAYMENT, "status": "succeeded", "amount": True}, Unknown),
        (200, {"status": "succeeded"}, Unknown),
        (200, [], Unknown),
        (200, None, Unknown),
        (401, {"code": "wrong_sandbox_secret"}, Unknown),
        (409, {"code": "reference_taken"}, Unknown),
        (500, {**PAYMENT, "status": "succeeded"}, Unknown),
        (503, {"status": "declined"}, Unknown),
    ],
)
def test_everything_else_decides_nothing(http_status, body, kind):
    for read in (mapping.read_payment, mapping.read_checkout):
        found = read(http_status, body)
        assert isinstance(found, Unknown)
        if read is mapping.read_payment:
            assert type(found) is kind


def test_a_question_that_is_refused_decides_nothing_and_an_order_that_is_refused_does():
    refused = (422, {"code": "validation_error"})
    assert type(mapping.read_payout(*refused)) is type(mapping.read_payment(*refused)) is Unknown
    assert isinstance(mapping.read_payout_order(*refused), Failure)
    assert isinstance(mapping.read_checkout(*refused), Failure)
    assert isinstance(mapping.read_payout_order(404, {"code": "unknown_reference"}), NeverSeen)
    assert isinstance(mapping.read_payout_order(201, {**PAYMENT, "status": "processing"}), StillPending)


def test_a_payout_has_its_own_words():
    assert isinstance(mapping.read_payout(200, {**PAYMENT, "status": "processing"}), StillPending)
    assert isinstance(mapping.read_payout(200, {**PAYMENT, "status": "failed"}), Failure)
    assert type(mapping.read_payout(200, {**PAYMENT, "status": "declined"})) is Unknown


async def test_destinations_are_checked_and_masked():
    provider = SandboxProvider("http://127.0.0.1:1", SECRET, timeout_seconds=1)
    assert provider.check_destination({"account": " 254700000001 "}) == {"account": "254700000001"}
    assert provider.mask_destination({"account": "254700000001"}) == {"account": "••••0001"}
    assert provider.mask_destination({"account": "12345678"}) == {"account": "••••"}
    for wrong in ({}, {"account": " "}, {"iban": "x"}, {"account": "1", "iban": "x"}):
        with pytest.raises(DestinationRefused) as refused:
            provider.check_destination(wrong)
        assert refused.value.errors
    await provider.close()


def test_webhooks_are_tried_again_soon_and_then_patiently():
    assert [pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 1000)] == [0.5, 1, 2, 256, 300, 300]


def test_the_sandbox_is_refused_in_production():
    with pytest.raises(ValueError, match="sandbox payment provider is refused"):
        SandboxSettings(env="production", public_url="https://lend.example")


def test_both_ends_have_the_same_local_secret():
    assert Settings().sandbox_secret.get_secret_value() == SANDBOX_LOCAL_SECRET
