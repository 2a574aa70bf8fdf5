"""Find out what to type next on a stage, from its stacks and releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from pipeline.operations.stage.deployment import Deployment

_UPLOADED_SOURCES: Final = "S3"  # the kind of a build project's source, as CodeBuild has it


def next_steps(deployment: Deployment) -> Iterator[str]:
    """Yield lines for the terminal: what to do, the commands for it, and the addresses."""
    stacks, expected = deployment.stacks, deployment.expected_stacks
    stage = deployment.site.names.stage
    missing = [name for name in expected if name not in stacks]
    if missing:
        yield f"{len(missing)} of {len(expected)} stacks are missing, such as {missing[0]}. Next:"
        yield f"  make deploy STAGE={stage}"
        return
    due = [*deployment.unreleased, *deployment.outdated]
    if not deployment.released:
        yield f"{stage} is deployed, and nothing is released. Next, build and release:"
    elif due:
        yield f"{len(due)} of {len(deployment.checkout)} containers have no live version from here:"
    else:
        live = len(deployment.released)
        yield f"{stage} is up to date: {live} containers are live, as in this checkout."
    if due:
        yield from _builds(deployment, due)
    yield from _addresses(deployment)
    yield f"Check the account and the stage: matteline doctor --stage {stage}"


def _builds(deployment: Deployment, due: list[str]) -> Iterator[str]:
    """Yield how builds are started: by tags with a code connection, else from uploaded sources."""
    names = deployment.site.names
    if not _takes_uploads(deployment, due[0]):
        for name in due:
            yield f"  git tag {name}/v{deployment.checkout[name]}"
        yield "  git push --tags"
        yield from _after_builds(deployment)
        return
    source = f"s3://{names.bucket('evidence')}/source/matteline.zip"
    yield "  git archive --format zip --output matteline.zip HEAD"
    yield f"  aws s3 cp matteline.zip {source}"
    yield f"  for container in {' '.join(due)}; do"
    yield f"    aws codebuild start-build --project-name {names.build_project('$container')}"
    yield "  done"
    yield from _after_builds(deployment)


def _after_builds(deployment: Deployment) -> Iterator[str]:
    yield "Each build that succeeds starts a release. CHANGELOG.md says if the order matters."
    if not deployment.released:
        bucket = deployment.site.names.bucket("ingest")
        yield "Then upload a photo; the first one waits for weights to be staged:"
        yield f"  aws s3 cp cat.jpg s3://{bucket}/"


def _takes_uploads(deployment: Deployment, container: str) -> bool:
    """Return True if a build takes uploaded sources, or if the caller may not read that."""
    name = deployment.site.names.build_project(container)
    try:
        found = deployment.site.client("codebuild").batch_get_projects(names=[name])["projects"]
    except ClientError:
        return True
    return all(each["source"]["type"] == _UPLOADED_SOURCES for each in found)


def _addresses(deployment: Deployment) -> Iterator[str]:
    if api := deployment.output("web", "ApiAddress"):
        ready = "" if "http-api" in deployment.released else " (answers once http-api is released)"
        yield f"HTTP API: {api}{ready}"
    if page := deployment.output("page", "PageAddress"):
        stage = deployment.site.names.stage
        yield f"Page: {page}/ (publish it: matteline page publish --stage {stage})"
