"""Stage a model's weights in the models bucket of a stage on AWS, from an operator's machine.

The container that stages weights runs in a separate process, with the operator's credentials: the
claim, the verification, the trial run, the comparison and the order of the writes are the same as
in its function. Packages are fetched here, because a function has no package client.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.artifacts import AccessDenied, Location
from pipeline.aws.s3 import S3Store
from pipeline.aws.s3_errors import named_errors
from pipeline.contracts.weights import StageWeights
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.models import ModelRow
from pipeline.errors import PipelineError
from pipeline.local.cloud import absolute_mirror
from pipeline.operations.site import Site
from pipeline.session.availability import Reach
from pipeline.session.choice import ModelChoice, cache_folder
from pipeline.session.session import staging_container
from pipeline.session.stager import StagedModel, if_available
from pipeline.weights.staged import StagedWeights

_CLEANUP_S: Final = 30.0  # to abort uploads and to release the claim


@dataclass(frozen=True)
class SiteStager:
    """Stages models of the repository at `root` in the models bucket of `site`."""

    root: Path
    site: Site
    choice: ModelChoice
    reach: Reach

    def stage(self, row: ModelRow) -> StagedModel:
        """Stage one model, unless the bucket has it: then nothing is fetched."""
        try:
            self._require_bucket()
            staged = self._recorded(row)
            if staged is not None:
                return StagedModel.of(staged)
            return if_available(row, self.reach, lambda: self._stage_apart(row))
        except (AccessDenied, PipelineError) as error:
            message = error.message if isinstance(error, PipelineError) else str(error)
            return StagedModel.failed(row, f"{type(error).__name__}: {message}")
        except KeyError:
            reason = f"there is no bucket {self._bucket}: check the stage, account and region"
            return StagedModel.failed(row, reason)

    @property
    def _bucket(self) -> str:
        return self.site.names.bucket("models")

    def _require_bucket(self) -> None:
        """Raise KeyError if the models bucket is missing, and AccessDenied if access is denied."""
        with named_errors(Location(self._bucket, "")):
            self.site.client("s3").head_bucket(Bucket=self._bucket)

    def _recorded(self, row: ModelRow) -> StagedWeights | None:
        place = Location(self._bucket, row.weights_key)
        try:
            content = S3Store(self.site.client("s3")).read(place)
        except KeyError:
            return None
        return StagedWeights.parse(content, uri=place.uri)

    def _stage_apart(self, row: ModelRow) -> StagedModel:
        job = StageWeights(
            schema_version=1, model=row.name, models_bucket=self._bucket, force=False
        )
        status, error = self._run(staging_container(self.root), job)
        staged = self._recorded(row)
        if status or staged is None:
            return StagedModel.failed(row, error.strip() or "staging ended without a record")
        return StagedModel.of(staged)

    def _run(self, stager: ContainerManifest, job: StageWeights) -> tuple[int, str]:
        """Run the container's module; an interrupted one gets the time to clean up."""
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", stager.package, job.model_dump_json(by_alias=True)],
            cwd=self.root, env=self._environment(), text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            _, error = process.communicate(timeout=stager.timeout_s)
        except subprocess.TimeoutExpired:
            _stop(process)
            return 1, f"it took longer than {stager.timeout_s} s"
        except BaseException:
            _stop(process)
            raise
        return process.returncode, error

    def _environment(self) -> dict[str, str]:
        """Return the operator's environment, with the settings that a function would have."""
        folder = str(self.reach.packages.folder)
        overlays = (str(path.absolute()) for path in self.choice.overlays)
        return {
            **os.environ,
            "MATTELINE_WEIGHTS_MIRROR": absolute_mirror(self.reach.mirror),
            "MATTELINE_CATALOGUE": os.pathsep.join(overlays),
            "MATTELINE_ACCEPTED_LICENCES": " ".join(self.choice.accepted_licences),
            "MATTELINE_SCRATCH": folder,
            "MATTELINE_PACKAGES": folder,
            "MATTELINE_KEPT": str(cache_folder()),
        }


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_CLEANUP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
