"""What the downloader's tests work with: an intake to fetch into, a workbench to stage on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from containers.model_downloader.handler import handler
from containers.model_downloader.intake import Intake
from containers.model_downloader.pace import Pace
from containers.model_downloader.sources import Sources
from containers.model_downloader.web import Web
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.declared.models import WeightsFile
from pipeline.weights.proxies import Proxies
from pipeline.workbench import TaskContext

CONTENT = bytes(range(256)) * 9000  # more than two chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
PLACE = Location("models", "w.onnx")


class Vault(dict[str, str]):
    """Secrets by name."""

    def read(self, name: str) -> str:
        return self[name]


@dataclass
class Desk:
    """Where fetched files go, and everything a source may need."""

    folder: Path
    store: LocalStore
    vault: Vault

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def intake(self, *, size: int | None = None, pace: Pace | None = None) -> Intake:
        pace = pace or Pace(math.inf)
        return Intake(self.target, size=size, begin=lambda: self.store.begin(PLACE), pace=pace)

    def sources(
        self,
        mirror: str | None = None,
        *,
        prefix: str = "",
        network: Proxies | None = None,
        packages: Path | None = None,
    ) -> Sources:
        client = Web(network or Proxies(), patience_s=10)
        return Sources(mirror, prefix, client, self.store, self.vault, packages)

    def fetch(self, file: WeightsFile, mirror: str | None = None, **fields: object) -> str:
        """The SHA-256 of what came."""
        intake = self.intake(size=file.bytes)
        self.sources(mirror, **fields).fetch(file, intake)  # type: ignore[arg-type]
        return intake.checksums["sha256"]


NOTES = b"what the publisher wrote beside the weights"
NOTES_SHA256 = hashlib.sha256(NOTES).hexdigest()

Bench = Callable[..., TaskContext]


def stage(context: TaskContext, model: str, *, force: bool = False) -> WeightsStaged:
    job = StageWeights(schema_version=1, model=model, models_bucket="models", force=force)
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def everything_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def wanted(
    *urls: str,
    name: str = "w.onnx",
    digest: str = f"sha256:{SHA256}",
    size: int | None = None,
    token: str | None = None,
) -> WeightsFile:
    return WeightsFile(name=name, urls=urls, digest=digest, bytes=size, token=token)
