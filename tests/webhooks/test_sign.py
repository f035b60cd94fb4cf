"""Signatures are those of Standard Webhooks, byte for byte; its reference implementation agrees."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from app.domain.instant import SECOND
from app.main import clock
from app.webhooks.sign import TOLERANCE, InvalidSecret, headers, is_authentic, new_secret, parse_secret, signature
from tests.webhooks.vectors import VECTORS, Vector

keys = st.binary(min_size=24, max_size=64)
secrets = keys.map(lambda key: "whsec_" + base64.b64encode(key).decode())
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."), min_size=1, max_size=60)
timestamps = st.integers(min_value=0, max_value=10**10)
SECRET, OTHER = (f"whsec_{base64.b64encode(bytes([byte]) * 32).decode()}" for byte in (1, 2))
BODY = b'{"type":"test"}'


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_vectors_hold(vector: Vector) -> None:
    body = vector.body.encode()

    assert signature(vector.secret, vector.webhook_id, vector.webhook_timestamp, body) == vector.expected
    assert is_authentic(vector.secret, vector.headers, body, now=vector.webhook_timestamp * SECOND)


def test_all_vectors_are_here() -> None:
    assert [vector.name for vector in VECTORS] == ["F1", "C1", "C2", "C3", "C4", "C5", "C6"]


@given(key=keys, message_id=ids, timestamp=timestamps, body=st.binary(max_size=2_000))
def test_any_bytes_are_signed_as_they_are(key: bytes, message_id: str, timestamp: int, body: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    expected = hmac.new(key, b"%s.%d." % (message_id.encode(), timestamp) + body, hashlib.sha256).digest()

    assert signature(secret, message_id, timestamp, body) == "v1," + base64.b64encode(expected).decode()


@given(secret=secrets, message_id=ids, timestamp=timestamps, body=st.text(max_size=500))
def test_the_reference_signs_the_same(secret: str, message_id: str, timestamp: int, body: str) -> None:
    reference = Webhook(secret).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body)

    assert signature(secret, message_id, timestamp, body.encode()) == reference


@given(secret=secrets, older=secrets, message_id=ids, body=st.text(max_size=500))
def test_the_reference_verifies_by_either_secret(secret: str, older: str, message_id: str, body: str) -> None:
    timestamp = clock() // SECOND
    sent = headers([secret, older], message_id, timestamp, body.encode())

    for known in (secret, older):
        Webhook(known).verify(body.encode(), sent, json_parse=False)
        assert is_authentic(known, sent, body.encode(), now=timestamp * SECOND)


@given(secret=secrets, body=st.text(max_size=100), altered=st.text(max_size=100))
def test_the_reference_refuses_what_we_refuse(secret: str, body: str, altered: str) -> None:
    timestamp = clock() // SECOND
    sent = headers([secret], "msg_1", timestamp, body.encode())

    assert is_authentic(secret, sent, altered.encode(), now=timestamp * SECOND) is (body == altered)
    if body != altered:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(altered.encode(), sent, json_parse=False)


@pytest.mark.parametrize("seconds", [-301, -300, 300, 301])
def test_a_message_counts_for_five_minutes(seconds: int) -> None:
    sent = headers([SECRET], "msg_1", 1_700_000_000, BODY)
    now = 1_700_000_000 * SECOND + seconds * SECOND

    assert is_authentic(SECRET, sent, BODY, now=now) is (abs(seconds * SECOND) <= TOLERANCE)


# The reference falls over some of these with a ValueError instead of saying no.
@pytest.mark.parametrize(
    "token", ["", " ", "v1", "v1,", "v1,,", "nonsense", "v1,é", "v1,AAAA", "v1a,{}", "v2,{}", "{}"]
)
def test_a_malformed_signature_is_no_signature(token: str) -> None:
    sent = headers([SECRET], "msg_1", 1_700_000_000, BODY)
    right = sent["webhook-signature"].removeprefix("v1,")

    altered = {**sent, "webhook-signature": token.format(right)}
    assert not is_authentic(SECRET, altered, BODY, now=1_700_000_000 * SECOND)
    beside = {**sent, "webhook-signature": f"{token.format(right)} {sent['webhook-signature']}"}
    assert is_authentic(SECRET, beside, BODY, now=1_700_000_000 * SECOND)


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "1.7e9", "1700000000.0", "+1700000000", " 1700000000", "\u0661\u0667", "9" * 400]
)
def test_a_malformed_time_is_no_time(timestamp: str) -> None:
    sent = {**headers([SECRET], "msg_1", 1_700_000_000, BODY), "webhook-timestamp": timestamp}

    assert not is_authentic(SECRET, sent, BODY, now=1_700_000_000 * SECOND)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_header_may_be_missing(missing: str) -> None:
    sent = headers([SECRET], "msg_1", 1_700_000_000, BODY)
    del sent[missing]

    assert not is_authentic(SECRET, sent, BODY, now=1_700_000_000 * SECOND)


def test_another_secret_proves_nothing() -> None:
    assert not is_authentic(OTHER, headers([SECRET], "m", 17, BODY), BODY, now=17 * SECOND)


def test_a_new_secret_is_32_bytes_of_the_given_entropy() -> None:
    secret = new_secret(lambda count: bytes(range(count)))

    assert secret == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert parse_secret(secret) == bytes(range(32))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        base64.b64encode(bytes(32)).decode(),  # no prefix
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + base64.b64encode(bytes(32)).decode().rstrip("="),
        "whsec_" + base64.b64encode(bytes(32)).decode() + "\n",
        "whsec_é" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(InvalidSecret):
        parse_secret(secret)


@pytest.mark.parametrize("message_id", ["", "msg.1", "msg 1", "msg\n1", "msgé"])
def test_an_id_that_would_blur_what_is_signed_is_a_mistake_of_ours(message_id: str) -> None:
    with pytest.raises(AssertionError):
        signature(SECRET, message_id, 17, BODY)
