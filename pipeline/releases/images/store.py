"""Find buildah's images on this machine, read their configuration and mount their files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.declared.containers import ContainerManifest
from pipeline.declared.names import gpu_tag
from pipeline.releases.images.tools import ImageNotBuilt, answer, run
from pipeline.releases.shipping import content_digest

CONTENT_LABEL: Final = "matteline.content"


@dataclass(frozen=True)
class Image:
    """An image's configuration: user, folder, entry point, command, environment, labels."""

    name: str
    digest: str
    user: int
    folder: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]


def image_name(container: ContainerManifest, *, gpu: bool = False) -> str:
    tag = gpu_tag(container.version) if gpu else container.version
    return f"localhost/matteline/{container.name}:{tag}"


def find_image(root: Path, container: ContainerManifest) -> Image:
    """Return the image built from a container's current sources.

    Raises ImageNotBuilt if there is no such image.
    """
    name = image_name(container)
    inspected = answer("buildah", "inspect", "--type", "image", name)
    if inspected is None:
        raise ImageNotBuilt(f"there is no image {name}")
    image = _parsed(name, inspected)
    if image.labels.get(CONTENT_LABEL) != content_digest(root, container.folder):
        raise ImageNotBuilt(f"{name} was built from other sources than the current ones")
    return image


@contextlib.contextmanager
def mounted(image: Image) -> Iterator[Path]:
    """Mount the image's files at a folder until the block ends."""
    working = run("buildah", "from", "--pull-never", image.name).strip()
    try:
        yield Path(run("buildah", "mount", working).strip())
    finally:
        run("buildah", "rm", working)


def _parsed(name: str, inspected: str) -> Image:
    found = json.loads(inspected)
    config = found["OCIv1"]["config"]
    return Image(
        name=name,
        digest=found["FromImageDigest"],
        user=int(config["User"].partition(":")[0]),
        folder=config["WorkingDir"],
        entrypoint=tuple(config["Entrypoint"]),
        command=tuple(config["Cmd"]),
        environment=dict(line.split("=", 1) for line in config["Env"]),
        labels=config["Labels"],
    )
