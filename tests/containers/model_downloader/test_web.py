"""A broken download goes on where it broke, and never mixes two states of a file."""

from __future__ import annotations

import pytest

from pipeline.errors import WeightsUnavailable
from tests.containers.model_downloader.desks import CONTENT, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Page, Web

OTHER = CONTENT[::-1]
HALF = len(CONTENT) // 2


def test_a_broken_download_goes_on_from_the_bytes_it_has(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, breaks=[HALF, 300_000])

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT
    assert web.sent("range") == [None, f"bytes={HALF}-", f"bytes={HALF + 300_000}-"]
    assert web.sent("if-range") == [None, '"1"', '"1"']


def test_what_is_uploaded_on_the_way_is_the_file_too(web: Web, desk: Desk) -> None:
    file = wanted(web.put("/w", CONTENT, breaks=[HALF]))
    intake = desk.intake()
    desk.sources().fetch(file, intake)
    intake.publish()

    assert [path.read_bytes() for path in desk.store.root.rglob("w.onnx")] == [CONTENT]


def test_a_server_without_ranges_starts_again_from_the_first_byte(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, ranges=False, breaks=[HALF])

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", [None, 'W/"1"'], ids=["none", "weak"])
def test_a_file_that_cannot_be_told_from_another_is_not_continued(
    web: Web, desk: Desk, etag: str | None
) -> None:
    url = web.put("/w", CONTENT, etag=etag, breaks=[HALF])

    assert desk.fetch(wanted(url)) == SHA256
    assert web.sent("range") == [None, None]


def becomes(page: Page, body: bytes, *, etag: str = '"2"') -> None:
    """The next time it is asked for, another file lies there."""

    def replace(number: int) -> None:
        if number == 1:
            page.body, page.etag = body, etag

    page.before = replace


@pytest.mark.parametrize("splices", [False, True], ids=["sends it all", "sends a part of it"])
def test_a_file_that_changed_in_between_is_never_spliced(
    web: Web, desk: Desk, *, splices: bool
) -> None:
    url = web.put("/w", OTHER, splices=splices, breaks=[HALF])
    becomes(web.pages["/w"], CONTENT)

    assert desk.fetch(wanted(url)) == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_a_file_that_shrank_in_between_is_read_from_its_start(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT + CONTENT, splices=True, breaks=[len(CONTENT) + 9])
    becomes(web.pages["/w"], CONTENT)

    assert desk.fetch(wanted(url)) == SHA256


def test_a_part_of_another_place_is_not_taken(web: Web, desk: Desk) -> None:
    url = web.put("/w", CONTENT, breaks=[HALF], shifted_by=7)

    assert desk.fetch(wanted(url)) == SHA256
    assert web.sent("range") == [None, f"bytes={HALF}-", None]


def test_a_server_that_breaks_at_the_same_byte_again_is_given_up(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", CONTENT, ranges=False, breaks=[HALF] * 99)
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(broken, good)) == SHA256
    assert web.asked == ["/broken", "/broken", "/good"]


def test_a_server_that_breaks_for_ever_is_given_up(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", CONTENT, breaks=[1000] * 99)

    with pytest.raises(WeightsUnavailable, match=r"/broken \(.*Incomplete"):
        desk.fetch(wanted(broken))
    assert len(web.asked) == 8


def test_the_next_source_starts_with_nothing_of_the_last_one(web: Web, desk: Desk) -> None:
    broken = web.put("/broken", OTHER, ranges=False, breaks=[HALF] * 2)
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(broken, good)) == SHA256
    assert desk.target.read_bytes() == CONTENT
