"""Read which container and version an execution's input asks for, and which action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.functions.release_request.contract import Action
from pipeline.releases.errors import RejectedRequest

_TYPED: Final = frozenset({"container", "version", "action"})
_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_REHEARSAL: Final = "REHEARSAL"

Build = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    container: str
    version: str
    action: Action
    built_digest: str | None = None


def read_request(
    given: object, *, find_build: Callable[[str], Build], project_prefix: str
) -> Wanted:
    """Read an operator's request or a CodeBuild event. Raises RejectedRequest if it is invalid."""
    if not isinstance(given, dict):
        raise RejectedRequest(f"the input is a {type(given).__name__}, not an object")
    if given.get("source") == "aws.codebuild":
        return _built(find_build(_build_id(given)), project_prefix)
    return _typed(given)


def _typed(given: Mapping[str, Any]) -> Wanted:
    problems = [f"{name!r} is missing" for name in sorted(_TYPED - given.keys())]
    problems += [f"unknown field {name!r}" for name in sorted(given.keys() - _TYPED)]
    if given.get("action", "deploy") not in ("deploy", "rollback"):
        problems.append(f"action {given['action']!r} is neither deploy nor rollback")
    if not _VERSION.fullmatch(str(given.get("version", "0.0.0"))):
        problems.append(f"version {given['version']!r} is not like 1.3.0")
    if problems:
        raise RejectedRequest("; ".join(problems))
    return Wanted(str(given["container"]), str(given["version"]), given["action"])


def _build_id(event: Mapping[str, Any]) -> str:
    match event:
        case {"detail": {"build-id": str(arn)}}:
            return arn
        case _:
            raise RejectedRequest("the event names no build")


def _built(build: Build, project_prefix: str) -> Wanted:
    """Read the exported variables of a build. Raises RejectedRequest unless it succeeded."""
    project = str(build["projectName"])
    container = project.removeprefix(project_prefix)
    if build["buildStatus"] != "SUCCEEDED" or container == project:
        raise RejectedRequest(f"build {build['id']} of {project} is {build['buildStatus']}")
    if _variables(build["environment"].get("environmentVariables", [])).get(_REHEARSAL) == "1":
        return Wanted(container, "none", "rehearse")
    exported = _variables(build.get("exportedEnvironmentVariables", []))
    wanted = Wanted(
        exported.get("CONTAINER_NAME", ""),
        exported.get("IMAGE_TAG", ""),
        "deploy",
        exported.get("IMAGE_DIGEST", ""),
    )
    problems = list(_wrong_exports(wanted, container))
    if problems:
        raise RejectedRequest(f"build {build['id']} exported {'; '.join(problems)}")
    return wanted


def _wrong_exports(wanted: Wanted, container: str) -> list[str]:
    checks = {
        f"CONTAINER_NAME {wanted.container!r}, but its project builds {container}": (
            wanted.container == container
        ),
        f"IMAGE_TAG {wanted.version!r}, not a version": bool(_VERSION.fullmatch(wanted.version)),
        f"IMAGE_DIGEST {wanted.built_digest!r}, not a digest": bool(
            _DIGEST.fullmatch(wanted.built_digest or "")
        ),
    }
    return [problem for problem, passed in checks.items() if not passed]


def _variables(listed: list[dict[str, str]]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in listed}
