"""Everything that can go wrong on purpose, grouped by what happens next.

    PipelineError
    ├── PermanentError     the same input will fail again: quarantined, never retried
    │   ├── UnsupportedMedia  CorruptMedia  MediaTooLarge  NoSubject
    │   ├── InvalidOptions  InvalidPrompt  UnknownModel  LicenseNotAccepted
    │   └── SourceMissing  SourceChanged
    ├── CapacityError      this size of function cannot do it: the fallback model, or fail
    │   └── OutOfMemory
    ├── TransientError     may succeed later: retried, then left uncaught for Redrive
    │   └── StoreUnavailable  WeightsUnavailable
    └── WeightsError       the model, not the photo, is at fault
        └── WeightsNotStaged (staged once, then retried)  WeightsMismatch (never loaded)

A leaf's class name is its error name in the state machines, which match exact names only:
a base class never matches. Any other exception is a bug and stays uncaught.
"""

from __future__ import annotations

from textwrap import shorten
from typing import ClassVar, Final

__all__ = [
    "CapacityError",
    "CorruptMedia",
    "InvalidOptions",
    "InvalidPrompt",
    "LicenseNotAccepted",
    "MediaTooLarge",
    "NoSubject",
    "OutOfMemory",
    "PermanentError",
    "PipelineError",
    "SourceChanged",
    "SourceMissing",
    "StoreUnavailable",
    "TransientError",
    "UnknownModel",
    "UnsupportedMedia",
    "WeightsError",
    "WeightsMismatch",
    "WeightsNotStaged",
    "WeightsUnavailable",
    "leaf_names",
]


# A Cause in Step Functions is cut at 32 768 characters, and with it the JSON it is.
MESSAGE_LIMIT: Final = 1_000


class PipelineError(Exception):
    """A named failure: what happened, and on a second line what a person can do about it."""

    hint: ClassVar[str]

    def __init__(self, message: str) -> None:
        self.message = shorten(message, MESSAGE_LIMIT, placeholder=" …")
        super().__init__(f"{self.message}\n{self.hint}")


class PermanentError(PipelineError):
    """The same input fails again however often it is tried."""


class UnsupportedMedia(PermanentError):
    """The bytes are not a kind of photo the platform reads."""

    hint = "Send a JPEG, PNG, WebP, TIFF, BMP or GIF; the content decides, not the file name."


class CorruptMedia(PermanentError):
    """The bytes begin like a photo and then break."""

    hint = "Open and save the photo again, or upload it once more: it is damaged or cut short."


class MediaTooLarge(PermanentError):
    """More bytes or pixels than a task accepts."""

    hint = "Send a smaller copy of the photo."


class InvalidOptions(PermanentError):
    """The execution input, object metadata or a profile asks for something that does not exist."""

    hint = "Correct the named option and start the execution again."


class InvalidPrompt(PermanentError):
    """A point or box does not lie in the photo."""

    hint = "Give x,y in pixels after rotation, or between 0 and 1; the origin is the top left."


class UnknownModel(PermanentError):
    """No catalogue row has this name."""

    hint = "Choose a name that `matteline models list` shows."


class NoSubject(PermanentError):
    """The model saw nothing that stands out from its background."""

    hint = "Crop closer to the subject, or try a stronger model."


class SourceMissing(PermanentError):
    """The photo is not in the bucket."""

    hint = "Check bucket and key, then upload the photo again."


class SourceChanged(PermanentError):
    """The object was replaced while its execution was running."""

    hint = "Nothing to do: the replacement has an execution of its own."


class LicenseNotAccepted(PermanentError):
    """The model's weights may not be used commercially and nobody accepted that."""

    hint = (
        "Choose another model, or accept the licence by its name: MATTELINE_ACCEPTED_LICENCES, "
        "on the command line --accept-licence."
    )


class CapacityError(PipelineError):
    """The function is too small for this photo with this model."""


class OutOfMemory(CapacityError):
    """The task ran out of memory."""

    hint = "Send a smaller photo, set allow_fallback, or raise the model's memory_mb."


class TransientError(PipelineError):
    """The same input may succeed later."""


class StoreUnavailable(TransientError):
    """S3 refused or did not answer."""

    hint = "Redrive the execution once S3 answers again."


class WeightsUnavailable(TransientError):
    """No source of a model's weights answered."""

    hint = (
        "Connect to the internet, or set MATTELINE_WEIGHTS_MIRROR to a folder or URL that holds "
        "the file; then try again."
    )


class WeightsError(PipelineError):
    """The model, not the photo, is at fault."""


class WeightsNotStaged(WeightsError):
    """The models bucket holds no complete copy of the weights."""

    hint = "Start the stage-weights state machine for this model."


class WeightsMismatch(WeightsError):
    """The bytes are not the weights the catalogue names; they are never loaded."""

    hint = "Treat the source as compromised until you know why its bytes changed."


def leaf_names(base: type[PipelineError] = PipelineError) -> frozenset[str]:
    """The names a state machine may match: every class below `base` without a subclass."""
    children = base.__subclasses__()
    if not children:
        return frozenset({base.__name__})
    return frozenset().union(*(leaf_names(child) for child in children))
