"""A cursor that a list gave leads on; whatever else is sent as one is refused by name."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest

from containers.http_api.cursors import read_cursor, read_numbers, write_cursor
from containers.http_api.errors import WrongFields
from pipeline.operations.jobs_table import Place

MINE: Final = "0123456789abcdef/"
LONGEST_CURSOR: Final = 3_000  # characters that `GET /jobs` takes


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize("letter", ["a", "é", "고", "😀", '"', "\\"])
def test_the_place_of_the_longest_key_is_a_cursor(letter: str) -> None:
    name = letter * ((1024 - len(MINE)) // len(letter.encode()))
    place = Place(f"{MINE}{name}", "0" * 64)

    cursor = write_cursor(place)

    assert len(cursor) <= LONGEST_CURSOR
    assert read_cursor(cursor, MINE) == place


@pytest.mark.parametrize(
    "place",
    [
        [f"{MINE}\ud800", "job"], [f"{MINE}x", "\udfff"], [f"{MINE}{'x' * 1024}", "job"],
        [f"{MINE}{'é' * 600}", "job"], [f"{MINE}x", "j" * 1025], [f"{MINE}x", ""], ["", "job"],
        ["another/x", "job"], [f"{MINE}x"], [f"{MINE}x", 1], {"key": f"{MINE}x"}, None,
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_place_of_the_list_is_refused(place: Any) -> None:
    with pytest.raises(WrongFields):
        read_cursor(encoded(json.dumps(place).encode()), MINE)


@pytest.mark.parametrize("content", [b"[" * 2_200, b'{"a":' * 400, b"\xff", b"", b"9" * 2_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    for read in (lambda text: read_cursor(text, MINE), read_numbers):
        with pytest.raises(WrongFields):
            read(encoded(content))
