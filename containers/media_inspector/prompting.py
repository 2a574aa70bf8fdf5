"""Checks points and boxes against the model and the photo they are for."""

from __future__ import annotations

from pipeline.contracts.contract import Options, Source, SourcePhoto
from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.catalogue import Catalogue
from pipeline.errors import InvalidPrompt
from pipeline.photo.prompts import in_pixels


def with_prompts_checked(
    options: Options, catalogue: Catalogue, source: Source, *, prompts_follow: bool = False
) -> Options:
    """Return the options with their prompts in pixels; options without prompts as they are.

    Raises InvalidPrompt if model or photo do not fit them. A model that needs prompts never gets
    a guess of ours: the photo's middle would cut out something that nobody asked for. If
    `prompts_follow`, none are needed yet, but the model must take them.
    """
    if not isinstance(options, CutoutOptions) or not isinstance(source, SourcePhoto):
        return options
    row = catalogue.row(options.model)
    models = catalogue.of(row.container)
    if (options.prompts or prompts_follow) and not row.takes_prompts:
        able = ", ".join(other.name for other in models.rows if other.takes_prompts)
        raise InvalidPrompt(f"{row.name} takes no points or boxes; models that do: {able}")
    if row.takes_prompts and not options.prompts and not prompts_follow:
        raise InvalidPrompt(
            f"{row.name} has to be shown its subject: set prompts, for one in the middle "
            f'[{{"points": [{{"x": {source.width / 2:g}, "y": {source.height / 2:g}}}]}}]; '
            f"x goes from 0 to {source.width} and y from 0 to {source.height} pixels"
        )
    in_photo = in_pixels(options.prompts, width=source.width, height=source.height)
    return options.model_copy(update={"prompts": in_photo})
