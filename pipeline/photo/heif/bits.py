"""Read numbers of any number of bits, as video codecs write their headers."""

from __future__ import annotations

from typing import Final

from pipeline.errors import CorruptMedia

_LONGEST: Final = 1024  # bytes; a header that states a size is far shorter
_MOST_ZEROS: Final = 32


class Bits:
    """The bits of a header, most significant first."""

    def __init__(self, content: bytes) -> None:
        self._bits = int.from_bytes(content[:_LONGEST], "big")
        self._left = 8 * len(content[:_LONGEST])

    def number(self, bits: int) -> int:
        """Read an unsigned number; raise CorruptMedia if there are fewer bits."""
        self._left -= bits
        if self._left < 0:
            raise CorruptMedia("damaged HEIF: a header of the codec ends too early")
        return self._bits >> self._left & ((1 << bits) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return self.number(1) == 1

    def exponential(self) -> int:
        """Read an Exp-Golomb number: as many zeros as there are bits after the one that follows."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise CorruptMedia("damaged HEIF: a number of the codec's header is too long")
        return (1 << zeros) - 1 + self.number(zeros)
