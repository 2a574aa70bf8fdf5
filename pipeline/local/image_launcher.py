"""Start a function's process, or a job, inside its container's image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from pipeline.declared.blueprint import Blueprint
from pipeline.local.worker import Command, Function, Process
from pipeline.releases.images.sandbox import Sandbox
from pipeline.releases.images.store import find_image, mounted
from pipeline.workbench import Settings

# The only variables of this machine that a function inherits: how to reach the web.
_INHERITED: Final = {"http_proxy", "https_proxy", "no_proxy", "hf_endpoint"}


@dataclass(frozen=True)
class ImageLauncher:
    """Starts functions in sandboxes, by handler.

    Functions can read `weights`: the folders that `file:` addresses in the catalogue name.
    """

    sandboxes: Mapping[str, Sandbox]
    weights: tuple[Path, ...]

    def start(self, function: Function, environment: Mapping[str, str], log: IO[bytes]) -> Process:
        return self.command(function, environment).start(log)

    def command(self, function: Function, environment: Mapping[str, str]) -> Command:
        command = self.sandboxes[function.handler].image.command
        return self.job(function, command, environment)

    def job(
        self, function: Function, module: Sequence[str], environment: Mapping[str, str]
    ) -> Command:
        sandbox = self.sandboxes[function.handler]
        image = sandbox.image
        settings = Settings.from_environment(function.environment)
        inside = sandbox.enter(
            (*image.entrypoint, *module),
            readable=[*_named_in(settings), *self.weights],
            writable=[settings.scratch],
        )
        inherited = {name: text for name, text in os.environ.items() if name.lower() in _INHERITED}
        digest = {"MATTELINE_IMAGE_DIGEST": image.digest}
        variables = {**image.environment, **inherited, **environment, **digest}
        return Command(inside, variables, Path("/"))


@contextmanager
def launching_images(blueprint: Blueprint) -> Iterator[ImageLauncher]:
    """Provide a launcher for the blueprint's containers.

    Raises ImageNotBuilt if a container has no current image.
    """
    images = {each.handler: find_image(blueprint.root, each) for each in blueprint.containers}
    with ExitStack() as stack:
        sandboxes = {
            handler: Sandbox(image, stack.enter_context(mounted(image)))
            for handler, image in images.items()
        }
        yield ImageLauncher(sandboxes, tuple(_weights_outside(blueprint)))


def _named_in(settings: Settings) -> Iterator[Path]:
    """Yield the folders of this machine that a function's settings name."""
    yield from (overlay.parent for overlay in settings.catalogue_overlays)
    yield from filter(None, [settings.kept, settings.packages])
    if settings.weights_mirror and "://" not in settings.weights_mirror:
        yield Path(settings.weights_mirror)


def _weights_outside(blueprint: Blueprint) -> Iterator[Path]:
    """Yield the folders outside the repository that the catalogue's `file:` addresses name."""
    published = (file for row in blueprint.catalogue.rows for file in row.published)
    addresses = (url for file in published for url in file.urls)
    for url in addresses:
        path = Path(unquote(urlsplit(url).path))
        if url.startswith("file:") and not path.is_relative_to(blueprint.root):
            yield path.parent
