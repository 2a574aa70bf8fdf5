"""The contracts of published Segment Anything files: what encoders and decoders take and return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from PIL import Image

from containers.background_remover.canvas import Placement, fitted_size, place, stretch
from containers.background_remover.embeddings import Features
from containers.background_remover.network import Tensor
from containers.background_remover.saliency import Triple
from pipeline.declared.declaration import Declaration
from pipeline.declared.models import ModelRow
from pipeline.photo.pixels import Pixels

Mark = tuple[float, float, int]

# Labels of marks: background and subject, the corners of a box, and padding.
TOP_LEFT: Final = 2
BOTTOM_RIGHT: Final = 3
_PADDING: Final = -1

_EARLIER_MASK_SIDE: Final = 256


class SamSpec(Declaration):
    """Segment Anything (2023); the row's files are encoder and decoder.

    The photo is placed in the top left of a `canvas` (height, width) of RGB, 0…255. The encoder
    normalises it. The decoder enlarges its masks to the canvas.
    """

    features: ClassVar[tuple[str, ...]] = ("embedding",)

    canvas: tuple[int, int]

    @property
    def layout(self) -> str:
        """What embeddings depend on in addition to the photo and the encoder, for their keys."""
        return f"{self.canvas[0]}x{self.canvas[1]}"

    def place(self, photo: tuple[int, int]) -> Placement:
        return place(photo, self.canvas)

    def to_tensor(self, picture: Pixels) -> Tensor:
        """Return the encoder's input, a canvas, for an H×W×3 photo."""
        return self.place((picture.shape[0], picture.shape[1])).paint(picture)

    def feed(
        self, features: Features, marks: list[Mark], placement: Placement, hint: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the decoder's inputs. The marks must end with padding."""
        return {
            "image_embeddings": features["embedding"],
            "orig_im_size": np.array(placement.canvas, np.float32),
            **_prompt([*marks, (0.0, 0.0, _PADDING)], hint),
        }

    def lift(self, plane: Tensor, placement: Placement) -> Tensor:
        """Return the photo's part of a mask, upright."""
        return placement.lift(plane)


class Sam2Spec(Declaration):
    """Segment Anything 2.1 (2024); the row's files are encoder and decoder.

    The photo is stretched to 1024² RGB, 0…1, and normalised with `mean` and `std`. The encoder
    returns three features, which the decoder takes. Its masks are logits of 256², within ±32.
    """

    features: ClassVar[tuple[str, ...]] = ("high_res_feats_0", "high_res_feats_1", "image_embed")
    canvas: ClassVar[tuple[int, int]] = (1024, 1024)

    mean: Triple
    std: Triple

    @property
    def layout(self) -> str:
        """What embeddings depend on in addition to the photo and the encoder, for their keys."""
        return "-".join(["stretched", *(str(number) for number in (*self.mean, *self.std))])

    def place(self, photo: tuple[int, int]) -> Placement:
        return stretch(photo, self.canvas)

    def to_tensor(self, picture: Pixels) -> Tensor:
        """Return the encoder's input, 1×3×1024×1024, for an H×W×3 photo."""
        colours = self.place((picture.shape[0], picture.shape[1])).paint(picture)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        normalised = (colours / np.float32(255) - mean) / std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])

    def feed(
        self, features: Features, marks: list[Mark], placement: Placement, hint: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the decoder's inputs. The decoder itself appends the padding to the marks."""
        del placement
        return {**features, **_prompt(marks, hint)}

    def lift(self, plane: Tensor, placement: Placement) -> Tensor:
        """Return a mask in the photo's proportions, as large as fits on the canvas."""
        height, width = fitted_size(placement.photo, self.canvas)
        enlarged = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(enlarged)


Contract = SamSpec | Sam2Spec

CONTRACTS: Final[Mapping[str, type[SamSpec | Sam2Spec]]] = {"sam": SamSpec, "sam2": Sam2Spec}


def contract_of(row: ModelRow) -> Contract:
    """Return the contract of a row of either engine."""
    return row.spec(CONTRACTS[row.engine.name])


def _prompt(marks: list[Mark], hint: Tensor | None) -> dict[str, Tensor]:
    """Return the decoder inputs that all contracts have. `hint` is an earlier mask's logits."""
    table = np.array(marks, dtype=np.float32)[None]
    none = np.zeros((_EARLIER_MASK_SIDE, _EARLIER_MASK_SIDE), np.float32)
    return {
        "point_coords": table[..., :2],
        "point_labels": table[..., 2],
        "mask_input": (none if hint is None else hint)[None, None],
        "has_mask_input": np.full(1, hint is not None, np.float32),
    }
