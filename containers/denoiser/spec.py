"""What a row's table says of its networks, and the kinds of arrays that pass between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Signal = npt.NDArray[np.float32]  # one channel, (samples,)
Spectrum = npt.NDArray[np.complex64]  # (frames, bins)
Bands = npt.NDArray[np.float32]  # (frames, bands)


class DeepFilterSpec(BaseModel):
    """The table of a row: frames of `window` samples at `rate`, one every `hop`.

    The networks hear `bands` bands of the spectrum, each of at least `least_bins` bins, and the
    lowest `filter_bins` bins themselves. Those are filtered with `order` frames each, `lookahead`
    of which come later. `decay` is what the running means keep with each frame.
    """

    model_config = ConfigDict(frozen=True)

    rate: int
    window: int
    hop: int
    bands: int
    least_bins: int
    filter_bins: int
    order: int
    lookahead: int
    decay: float

    @property
    def bins(self) -> int:
        return self.window // 2 + 1

    @property
    def delay(self) -> int:
        """How many samples the denoised signal is late: the window's overlap and the lookahead."""
        return self.window - self.hop + self.lookahead * self.hop
