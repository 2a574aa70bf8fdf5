"""Points and boxes held against the model and the photo they are meant for."""

from __future__ import annotations

from pipeline.contracts.cutout import Options, SourcePhoto
from pipeline.declared.models import Catalogue
from pipeline.errors import InvalidPrompt
from pipeline.photo.prompts import in_pixels


def with_prompts_checked(options: Options, models: Catalogue, source: SourcePhoto) -> Options:
    """The options with their prompts in pixels; InvalidPrompt if model or photo do not fit them.

    A model that needs prompts is never given one of our own making: a guess at the photo's middle
    would cut out something nobody asked for.
    """
    row = models.row(options.model)
    if options.prompts and not row.takes_prompts:
        able = ", ".join(other.name for other in models.rows if other.takes_prompts)
        raise InvalidPrompt(f"{row.name} takes no points or boxes; of the catalogue do: {able}")
    if row.takes_prompts and not options.prompts:
        raise InvalidPrompt(
            f"{row.name} has to be shown its subject: set prompts, for one in the middle "
            f'[{{"points": [{{"x": {source.width / 2:g}, "y": {source.height / 2:g}}}]}}]; '
            f"x goes from 0 to {source.width} and y from 0 to {source.height} pixels"
        )
    pixels = in_pixels(options.prompts, width=source.width, height=source.height)
    return options.model_copy(update={"prompts": pixels})
