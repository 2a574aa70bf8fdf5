"""Whether two files are the Segment Anything encoder and decoder that the catalogue describes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from containers.model_downloader.smoke import compatible, open_network
from pipeline.errors import WeightsMismatch
from pipeline.specs import SamSpec

_RGB_CHANNELS: Final = 3
_DECODER_INPUTS: Final = frozenset(
    {
        "image_embeddings",
        "point_coords",
        "point_labels",
        "mask_input",
        "has_mask_input",
        "orig_im_size",
    }
)
_LEAST_DECODER_OUTPUTS: Final = 2  # masks, and the model's opinion of each


def require_declared_pair(encoder: Path, decoder: Path, spec: SamSpec) -> None:
    """Load both and compare inputs and outputs with the row; nothing is inferred.

    WeightsMismatch if they differ, OutOfMemory if a file does not fit.
    """
    taken = open_network(encoder).get_inputs()[0].shape
    expected = [*spec.canvas, _RGB_CHANNELS]
    if not compatible(taken, expected):
        raise WeightsMismatch(f"{encoder.name} takes {taken}, its row says {expected}")
    session = open_network(decoder)
    names = {value.name for value in session.get_inputs()}
    if names != _DECODER_INPUTS:
        raise WeightsMismatch(
            f"{decoder.name} takes {', '.join(sorted(names))}; a decoder of points and boxes takes "
            f"{', '.join(sorted(_DECODER_INPUTS))}"
        )
    if len(session.get_outputs()) < _LEAST_DECODER_OUTPUTS:
        raise WeightsMismatch(f"{decoder.name} gives masks without scores")
