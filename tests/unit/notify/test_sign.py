"""Signatures, against those the vendor publishes."""

import msgspec

from penstock.notify.sign import sign_body
from tests.support.shared_data import find_shared


def test_signatures_are_those_the_vendor_shows() -> None:
    path = find_shared("circleci/samples/webhooks/signature_vectors.json")
    vectors = msgspec.json.decode(path.read_bytes())["vectors"]
    assert len(vectors) == 4
    for each in vectors:
        assert sign_body(each["secret"].encode(), each["body"].encode()) == f"v1={each['hex']}"


def test_a_signature_is_an_hmac_of_the_body() -> None:
    hexed = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    assert sign_body(b"key", b"The quick brown fox jumps over the lazy dog") == f"v1={hexed}"
