"""The words that options of a cutout take. Imports no library, so that help is quick."""

from typing import Literal

Refine = Literal["none", "fast", "matting", "auto"]
Resolution = Literal["full", "half", "quarter"]
PictureFormat = Literal["png", "webp", "jpeg", "avif"]
PictureKind = Literal["cutout", "mask", "preview"]
Effort = Literal["fast", "small"]
Output = Literal["mask", "alpha"]
