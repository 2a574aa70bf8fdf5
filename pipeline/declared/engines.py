"""What an engine has to know of a model: one table of a catalogue row for each engine."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.declared.declaration import Declaration

Engine = Literal["saliency", "sam", "bedrock"]
Side = Annotated[int, Field(ge=32, le=4096)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SaliencySpec(Declaration):
    """How a photo becomes a saliency network's input, and its output a probability.

    The photo is stretched to `input_size`² RGB, divided by `scale` (a number, or the largest value
    in the photo itself), then normalised with `mean` and `std`. Output 0, channel 0 is the mask,
    through a sigmoid first if `activation` says so.
    """

    input_size: Side
    scale: Positive | Literal["max"]
    mean: tuple[Finite, Finite, Finite]
    std: tuple[Positive, Positive, Positive]
    activation: Literal["none", "sigmoid"]


class SamSpec(Declaration):
    """What a Segment Anything encoder looks at; the row's files are encoder and decoder.

    The photo is fitted into the top left of a `canvas` (height, width) of RGB, 0…255. The encoder
    normalises it itself.
    """

    canvas: tuple[Side, Side]


class BedrockSpec(Declaration):
    """A model that Amazon Bedrock hosts, and the pictures it accepts, in pixels.

    The photo is shrunk until no side is longer than `largest_side`, then padded until none is
    shorter than `smallest_side` and none more than `widest` times the other.
    """

    model_id: str
    largest_side: Side
    smallest_side: Side
    widest: float = Field(gt=1, allow_inf_nan=False)
