"""The tables of the transcriber's engines, as types."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

CONTAINER: Final = "transcriber"


class WhisperSpec(BaseModel):
    """`translates` is False for a model that was not trained to translate into English."""

    model_config = ConfigDict(frozen=True)

    translates: bool


class CtcSpec(BaseModel):
    """What a network writes: a character of `alphabet` for each output, every `step` samples.

    The output `blank` stands for no character, `space` is the character between words. It knows
    words of one `language` (ISO 639-1).
    """

    model_config = ConfigDict(frozen=True)

    language: str
    alphabet: str
    blank: int
    space: str
    step: int
