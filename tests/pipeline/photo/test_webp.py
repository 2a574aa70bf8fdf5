"""WebP: the size that each kind of file states is limited before the decoder makes room for it."""

from __future__ import annotations

import pytest

from pipeline.errors import MediaTooLarge
from pipeline.photo import limits, webp
from tests.pipeline.photo.handmade import webp_canvas
from tests.pipeline.photo.pictures import quadrants, saved

STILL = saved(quadrants(), "WEBP")
SIZED = {
    "canvas": (webp_canvas(2**24, 9, STILL), "WebP canvas of 16777216 × 9 pixels"),
    "lossless": (STILL, "photo of 24 × 16 pixels"),
    "lossy": (saved(quadrants(), "WEBP", lossless=False), "photo of 24 × 16 pixels"),
}


@pytest.mark.parametrize("kind", SIZED)
def test_a_size_above_the_limit_is_refused_undecoded(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    content, message = SIZED[kind]
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16 - 1)

    with pytest.raises(MediaTooLarge, match=message):
        webp.prepare(content)


def test_a_size_at_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16)

    assert webp.prepare(STILL) == STILL
