"""Answer a release request with the release and its claim, or with a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.declared.names import gpu_tag
from pipeline.functions.release_request.contract import ReadRequest, Release, RequestRead
from pipeline.functions.release_request.request import Build, Wanted, read_request
from pipeline.releases.errors import RejectedRequest


@dataclass(frozen=True)
class Reader:
    """A reader of requests: boto3's CodeBuild client, and the declared containers' manifests."""

    codebuild: Any
    containers: Mapping[str, Mapping[str, Any]]

    def read(self, job: ReadRequest, *, now: int) -> RequestRead:
        """Read one request; `now` is in seconds since 1970."""
        try:
            wanted = read_request(
                job.input, find_build=self._build, project_prefix=job.build_project_prefix
            )
            self._require_declared(wanted.container)
        except RejectedRequest as refused:
            return RequestRead(_release(_as_typed(job.input), job, now, None), str(refused))
        return RequestRead(_release(wanted, job, now, self._gpu_tag(wanted, job.batch)))

    def _gpu_tag(self, wanted: Wanted, batch: str) -> str | None:
        """Return the tag of the GPU image, if the container's jobs in this stage have GPUs."""
        has_one = self.containers[wanted.container].get("batch", {}).get("gpu", False)
        return gpu_tag(wanted.version) if has_one and batch == "gpu" else None

    def _require_declared(self, container: str) -> None:
        if container not in self.containers:
            known = ", ".join(sorted(self.containers))
            raise RejectedRequest(f"unknown container {container!r}; choose one of {known}")

    def _build(self, build_id: str) -> Build:
        found: list[Build] = self.codebuild.batch_get_builds(ids=[build_id])["builds"]
        if not found:
            raise RejectedRequest(f"CodeBuild has no build {build_id}")
        return found[0]


def _release(wanted: Wanted, job: ReadRequest, now: int, gpu: str | None) -> Release:
    return Release(
        container=wanted.container,
        version=wanted.version,
        action=wanted.action,
        release_id=f"{wanted.container}@{wanted.version}",
        built_digest=wanted.built_digest,
        gpu_tag=gpu,
        claims_before=str(now),
        held_until=str(now + job.lease_s),
    )


def _as_typed(given: object) -> Wanted:
    """Keep the readable fields of a rejected request, for its announcement."""
    said: Mapping[str, object] = given if isinstance(given, dict) else {}
    container, version = (str(said.get(name, "unknown")) for name in ("container", "version"))
    return Wanted(container, version, "rollback" if said.get("action") == "rollback" else "deploy")
