"""Which function a deployment is about, and what the repository declares of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.declared.revisions import MANIFEST, weights_prefix
from pipeline.functions.declared import manifests, read_toml
from pipeline.functions.smoke_hook.drawing import OVAL, SIDE


@dataclass(frozen=True)
class Subject:
    """A container's function, or its function for one model of the catalogue."""

    container: str
    folder: Path
    row: Mapping[str, Any] | None = None

    @property
    def model(self) -> str | None:
        return self.row["name"] if self.row else None

    @property
    def weights_key(self) -> str | None:
        """Where its weights are staged; None for a hosted model, and for no model."""
        if not self.row or not self.row.get("files"):
            return None
        digests = [file["digest"] for file in self.row["files"]]
        prefix = weights_prefix(self.row["name"], digests, self.row.get("quantise"))
        return f"{prefix}/{MANIFEST}"

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """A box around what is drawn, for a model that has to be shown its subject."""
        if not self.row or self.row["engine"] != "sam":
            return []
        sides = ("x0", "y0", "x1", "y1")
        return [{"box": {side: SIDE * at for side, at in zip(sides, OVAL, strict=True)}}]

    @property
    def golden(self) -> dict[str, Any]:
        """Its golden event; FileNotFoundError if the container has none."""
        return read_toml(self.folder / "golden.toml")


def subjects(root: Path, *, function_prefix: str) -> dict[str, Subject]:
    """Function → what it is, for every function that any container has."""
    found = {}
    for name, manifest in manifests(root).items():
        folder = root / "containers" / name.replace("-", "_")
        if not manifest.get("function_per_model"):
            found[f"{function_prefix}{name}"] = Subject(name, folder)
            continue
        for row in read_toml(folder / "models.toml")["models"]:
            found[f"{function_prefix}{name}-{row['name']}"] = Subject(name, folder, row)
    return found
