"""What is said in the recordings of faster-whisper's tests, and when."""

from __future__ import annotations

from typing import Final

KENNEDY: Final = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for "
    "your country"
)
# When the words are said, to the tenth of a second, as heard.
KENNEDY_STARTS: Final = {"americans": 1.6, "ask": 3.3, "not": 3.75, "country": 5.75}
ENGLISH_END, GERMAN_START = 29.2, 31.0
