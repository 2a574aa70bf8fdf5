"""Name the folder, buckets, tables and functions that the smoke test uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The root of the zip, and the names of a deployment's buckets, tables and functions."""

    root: Path
    function_prefix: str
    stack_prefix: str
    work_bucket: str
    models_bucket: str
    evidence_bucket: str
    releases_table: str

    @classmethod
    def from_environment(cls, root: Path, environment: Mapping[str, str]) -> Places:
        """Read the variables that `resources.toml` gives the function."""
        return cls(
            root=root,
            function_prefix=environment["FUNCTION_PREFIX"],
            stack_prefix=environment["FUNCTION_STACK_PREFIX"],
            work_bucket=environment["WORK_BUCKET"],
            models_bucket=environment["MODELS_BUCKET"],
            evidence_bucket=environment["EVIDENCE_BUCKET"],
            releases_table=environment["RELEASES_TABLE"],
        )
