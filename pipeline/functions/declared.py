"""What the repository declares, as it is packed into every zip: read with the standard library."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


def manifests(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Container → its manifest, as `containers/*/container.toml` has it."""
    read = [read_toml(path) for path in sorted(root.glob("containers/*/container.toml"))]
    return {manifest["name"]: manifest for manifest in read}


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
