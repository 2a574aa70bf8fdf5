"""Keys are random, are written in one way, and are stored as digests."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.api_keys import ApiKey, new_key, read_bearer


def test_a_key_has_160_random_bits_and_is_read_as_it_is_written() -> None:
    keys = [new_key() for _ in range(200)]

    assert len({key.secret for key in keys} | {key.id for key in keys}) == 400
    assert {len(key.secret) * 5 for key in keys} == {160}
    assert all(read_bearer(f"Bearer {key.written}") == key for key in keys)
    assert all(read_bearer(f"bearer {key.written}") == key for key in keys)


KEY = f"mk_{'0' * 16}_{'1' * 32}"


@pytest.mark.parametrize(
    "header",
    [
        "", KEY, f"Bearer {KEY} ", f" Bearer {KEY}", f"Bearer  {KEY}", f"Basic {KEY}",
        f"Bearer {KEY}0", f"Bearer {KEY[:-1]}", f"Bearer {KEY.upper()}", f"Bearer {KEY}\n",
        f"Bearer {KEY},Bearer {KEY}", "Bearer mk__", f"Bearer {KEY.replace('1', 'w')}",
        f"Bearer {KEY.replace('1', chr(0x0661))}", "AWS4-HMAC-SHA256 Credential=a/20261001",
    ],
)  # fmt: skip
def test_any_other_header_has_no_key(header: str) -> None:
    assert read_bearer(header) is None


def test_a_digest_is_of_the_secret_and_only_its_own_key_matches_it() -> None:
    key, other = ApiKey("0" * 16, "1" * 32), ApiKey("0" * 16, "2" * 32)

    assert key.digest == hashlib.sha256(b"1" * 32).hexdigest()
    assert key.matches(key.digest)
    assert not other.matches(key.digest)
    assert not key.matches("")
