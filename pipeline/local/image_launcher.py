"""Starts a function's process inside its container's image, as the image itself says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pipeline.declared.blueprint import Blueprint
from pipeline.local.worker import Command, Function
from pipeline.releases.images.sandbox import Sandbox
from pipeline.releases.images.store import find_image, mounted
from pipeline.workbench import Settings

# How this machine reaches the web. Nothing else of its environment is let in.
_LENT: Final = {"http_proxy", "https_proxy", "no_proxy", "hf_endpoint"}


@dataclass(frozen=True)
class ImageLauncher:
    """`sandboxes` are by handler; `weights` are folders that the person's own catalogue names."""

    sandboxes: Mapping[str, Sandbox]
    weights: tuple[Path, ...]

    def command(self, function: Function, environment: Mapping[str, str]) -> Command:
        sandbox = self.sandboxes[function.handler]
        image = sandbox.image
        settings = Settings.from_environment(function.environment)
        inside = sandbox.enter(
            image.entrypoint,
            readable=[*_named_in(settings), *self.weights],
            writable=[settings.scratch],
        )
        lent = {name: text for name, text in os.environ.items() if name.lower() in _LENT}
        known = {"MATTELINE_IMAGE_DIGEST": image.digest}
        return Command(inside, {**image.environment, **lent, **environment, **known}, Path("/"))


@contextmanager
def launching_images(blueprint: Blueprint) -> Iterator[ImageLauncher]:
    """A launcher for every container of the blueprint; ImageNotBuilt if one has no image."""
    images = {each.handler: find_image(blueprint.root, each) for each in blueprint.containers}
    with ExitStack() as stack:
        sandboxes = {
            handler: Sandbox(image, stack.enter_context(mounted(image)))
            for handler, image in images.items()
        }
        yield ImageLauncher(sandboxes, tuple(_weights_outside(blueprint)))


def _named_in(settings: Settings) -> Iterator[Path]:
    """The folders of this machine that a function's settings name."""
    yield from (overlay.parent for overlay in settings.catalogue_overlays)
    if settings.kept:
        yield settings.kept
    if settings.weights_mirror and "://" not in settings.weights_mirror:
        yield Path(settings.weights_mirror)


def _weights_outside(blueprint: Blueprint) -> Iterator[Path]:
    """The folders outside the repository that `file:` addresses of the catalogue lead to."""
    addresses = (url for row in blueprint.catalogue.rows for file in row.files for url in file.urls)
    for url in addresses:
        path = Path(unquote(urlsplit(url).path))
        if url.startswith("file:") and not path.is_relative_to(blueprint.root):
            yield path.parent
