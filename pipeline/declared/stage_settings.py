"""Read the settings of a stage that its operators need, from the file that CDK deploys it with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path("infra/cdk.json")
_PREFIX: Final = "matteline:"


def read_stage_settings(root: Path) -> Mapping[str, Any]:
    """Return the settings of `infra/cdk.json` by name; what `-c` gave a command is unknown."""
    context = json.loads((root / _FILE).read_text(encoding="utf-8"))["context"]
    return {
        name.removeprefix(_PREFIX): value
        for name, value in context.items()
        if name.startswith(_PREFIX)
    }
