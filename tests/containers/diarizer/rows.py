"""The tables of rows, with changes."""

from __future__ import annotations

from typing import Any

from containers.diarizer.spec import SpeakersSpec


def spec(**changes: Any) -> SpeakersSpec:
    fields = {
        "output": "multilabel", "classes": 3, "speakers": 3, "duration_s": 5, "frame_step": 270,
        "frame_length": 991, "onset": 0.5, "features": "resemblyzer", "bands": 40,
        "voice_hop_s": 1.0, "join_below": 0.5, "link_below": 0.5,
    }  # fmt: skip
    return SpeakersSpec.model_validate(fields | changes)
