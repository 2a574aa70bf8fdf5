"""What the zip of the platform's own functions holds, laid out as in the repository.

The standard library alone: the tests lay it out where CDK is not.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

# One zip for all of them: policy, waivers, manifests and golden events are deployed together.
PATTERNS: Final = (
    "infra/__init__.py",
    "infra/functions/**/*.py",
    "infra/waivers.toml",
    "pipeline/__init__.py",
    "pipeline/errors.py",
    "pipeline/evidence.py",
    "pipeline/release_errors.py",
    "pipeline/revisions.py",
    "containers/*/container.toml",
    "containers/*/golden.toml",
    "containers/*/models.toml",
)


def lay_out(source: Path, declarations: Path, target: Path) -> Path:
    """Copy code below `source`, and what is declared below `declarations`, to `target`."""
    for pattern in PATTERNS:
        root = declarations if pattern.startswith("containers") else source
        for path in root.glob(pattern):
            copy = target / path.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return target
