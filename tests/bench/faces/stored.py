"""Store what face-api finds, for tests/e2e/test_faces.py: `python -m tests.bench.faces.stored`.

It is where the faces are in scikit-image's astronaut and in the samples of face-api's own package,
with the landmarks of the astronaut. Nothing that tells people apart is stored, and no photo.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.bench.faces import peers
from tests.bench.faces.photos import ASTRONAUT, raw, samples
from tests.conftest import ROOT

STORED: Final = ROOT / "tests/e2e/face_api_faces.json"
_DIGITS: Final = 6


def main() -> None:
    paths = [ASTRONAUT, *samples()]
    found: dict[str, dict[str, Any]] = {path.stem: {} for path in paths}
    with tempfile.TemporaryDirectory() as name:
        pictures = raw(paths, Path(name))
        for detector in ("ssd", "tiny"):
            told = peers.face_api(
                pictures, Path(name), detector=detector, describe=["landmarks"], min_score=0.5,
                origin="crop",
            )  # fmt: skip
            for path, photo in zip(paths, told["photos"], strict=True):
                kept = ("box", "score", *(["landmarks"] if path == ASTRONAUT else []))
                found[path.stem][detector] = [
                    {each: _rounded(face[each]) for each in kept} for face in photo["faces"]
                ]
    STORED.write_text(json.dumps(found, separators=(",", ":")) + "\n")


def _rounded(value: Any) -> Any:
    return [_rounded(each) for each in value] if isinstance(value, list) else round(value, _DIGITS)


if __name__ == "__main__":
    main()
