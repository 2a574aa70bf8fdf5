"""Define what a trial of a session is told, and what it answers."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.weights.staged import Memory


class Trial(BaseModel):
    """A network to open with one kind of memory, on a picture of the input's `shape`.

    `limit_mb` limits the process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Path
    shape: tuple[int, ...]
    memory: Memory
    threads: int
    optimised: bool
    limit_mb: int
