"""The function that a deployment is about, and its container and model row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.revisions import MANIFEST, file_identity, weights_prefix
from pipeline.functions.declared import manifests, read_toml
from pipeline.golden import Row


@dataclass(frozen=True)
class Subject:
    """A container's function, or its function for one model row."""

    container: str
    folder: Path
    row: Row | None = None


def subjects(root: Path, *, function_prefix: str) -> dict[str, Subject]:
    """Map the function names of all containers to what the repository declares of them."""
    found = {}
    for name, manifest in manifests(root).items():
        folder = root / "containers" / name.replace("-", "_")
        if not manifest.get("function_per_model"):
            found[f"{function_prefix}{name}"] = Subject(name, folder)
            continue
        for row in _rows(folder):
            found[f"{function_prefix}{name}-{row.name}"] = Subject(name, folder, row)
    return found


def _rows(folder: Path) -> Iterator[Row]:
    """Read the model rows of one container."""
    for row in read_toml(folder / "models.toml")["models"]:
        files = [
            file_identity(
                file["digest"], file.get("urls", ()), file.get("manifest", {}).get("digest")
            )
            for file in row.get("files", ())
        ]
        prefix = weights_prefix(row["name"], files, row.get("quantise"))
        yield Row(row["name"], row["engine"], f"{prefix}/{MANIFEST}" if files else None)
