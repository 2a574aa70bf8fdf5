"""Read the declared files packed into every zip, with the standard library only."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


def manifests(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return each container's manifest (`containers/*/container.toml`) by container name."""
    read = [read_toml(path) for path in sorted(root.glob("containers/*/container.toml"))]
    return {manifest["name"]: manifest for manifest in read}


def products(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the declaration of each product (`state_machines/*.product.toml`)."""
    return [read_toml(path) for path in sorted(root.glob("state_machines/*.product.toml"))]


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
