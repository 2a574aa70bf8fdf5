"""Everything that can go wrong on purpose, grouped by what happens next.

    PipelineError
    ├── PermanentError     the same input will fail again: quarantined, never retried
    │   ├── UnsupportedMedia  CorruptMedia  MediaTooLarge  NoSubject
    │   ├── InvalidOptions  InvalidPrompt  UnknownModel  LicenseNotAccepted
    │   ├── PhotoRefused
    │   └── SourceMissing  SourceForbidden  SourceChanged
    ├── CapacityError      this size of function cannot do it: the fallback model, or fail
    │   └── OutOfMemory  OutOfStorage
    ├── TransientError     may succeed later: retried, then left uncaught for Redrive
    │   ├── StoreUnavailable  WeightsUnavailable  ModelUnavailable
    │   └── WeightsClaimed (only where weights are staged)
    └── WeightsError       the model, not the photo, is at fault
        ├── WeightsNotStaged (staged once, then retried)  WeightsMismatch (never loaded)
        └── WeightsForbidden (never fetched)  ModelNotOffered (left uncaught, for a person)

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
    "ModelNotOffered",
    "ModelUnavailable",
    "NamedError",
    "NoSubject",
    "OutOfMemory",
    "OutOfStorage",
    "PermanentError",
    "PhotoRefused",
    "PipelineError",
    "SourceChanged",
    "SourceForbidden",
    "SourceMissing",
    "StoreUnavailable",
    "TransientError",
    "UnknownModel",
    "UnsupportedMedia",
    "WeightsClaimed",
    "WeightsError",
    "WeightsForbidden",
    "WeightsMismatch",
    "WeightsNotStaged",
    "WeightsUnavailable",
    "leaf_names",
]


# A Cause in Step Functions is cut at 32 768 characters, and with it the JSON it is.
MESSAGE_LIMIT: Final = 1_000


class NamedError(Exception):
    """A named failure: what happened, and on a second line what a person can do about it."""

    hint: ClassVar[str]

    def __init__(self, message: str) -> None:
        self.message = shorten(message, MESSAGE_LIMIT, placeholder=" …")
        super().__init__(f"{self.message}\n{self.hint}")


class PipelineError(NamedError):
    """What can go wrong with a photo, or with the model that looks at it."""


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
    """The points and boxes do not fit the photo, or the model."""

    hint = (
        "Give x,y in pixels after rotation, or between 0 and 1; the origin is the top left. "
        "Only models that cut out what they are shown take points and boxes, and need them."
    )


class UnknownModel(PermanentError):
    """No catalogue row has this name."""

    hint = "Choose a name that `matteline models list` shows."


class NoSubject(PermanentError):
    """The model saw nothing that stands out from its background."""

    hint = "Crop closer to the subject, or try a stronger model."


class SourceMissing(PermanentError):
    """The photo is not in the bucket."""

    hint = "Check bucket and key, then upload the photo again."


class SourceForbidden(PermanentError):
    """The photo is in a bucket that the platform may not read."""

    hint = "The source must be in the ingest bucket: copy it there, which starts it by itself."


class SourceChanged(PermanentError):
    """The object was replaced before its event came, or while its execution was running."""

    hint = "Nothing to do: the replacement has an execution of its own."


class LicenseNotAccepted(PermanentError):
    """The model's weights may not be used commercially and nobody accepted that."""

    hint = (
        "Choose another model, or accept the licence by its name: MATTELINE_ACCEPTED_LICENCES, "
        "on the command line --accept-licence."
    )


class PhotoRefused(PermanentError):
    """A hosted model will not work on this photo."""

    hint = "Choose a model that runs on your own functions: those look at any photo."


class CapacityError(PipelineError):
    """The function is too small for this photo with this model."""


class OutOfMemory(CapacityError):
    """The task ran out of memory."""

    hint = "Send a smaller photo, set allow_fallback, or raise the model's memory_mb."


class OutOfStorage(CapacityError):
    """The function's disk has no room for the model's files."""

    hint = "Free the disk, or raise the storage_mb of the container."


class TransientError(PipelineError):
    """The same input may succeed later."""


class StoreUnavailable(TransientError):
    """S3 or Secrets Manager was too busy, or did not answer."""

    hint = "Redrive the execution once AWS answers again."


class WeightsUnavailable(TransientError):
    """No source of a model's weights answered."""

    hint = (
        "Connect to the internet, or set MATTELINE_WEIGHTS_MIRROR to a folder or URL that holds "
        "the file; then try again."
    )


class ModelUnavailable(TransientError):
    """A hosted model did not answer, or has no capacity left."""

    hint = "Redrive the execution later, or ask for a higher quota of the model."


class WeightsClaimed(TransientError):
    """Another execution is staging these very weights."""

    hint = "Nothing to do: they will be there when it is done, or be staged here if it fails."


class WeightsError(PipelineError):
    """The model, not the photo, is at fault."""


class WeightsNotStaged(WeightsError):
    """The models bucket holds no complete copy of the weights."""

    hint = "Start the stage-weights state machine for this model."


class WeightsForbidden(WeightsError):
    """A gated source or a bucket refused, or the token is not to be read in Secrets Manager."""

    hint = (
        "Store the token that the model's row names, let the model downloader read it and the "
        "bucket, or use a mirror; then stage again."
    )


class WeightsMismatch(WeightsError):
    """The bytes are not the weights the catalogue names; they are never loaded."""

    hint = "Treat the source as compromised until you know why its bytes changed."


class ModelNotOffered(WeightsError):
    """A hosted model is not to be had by this account in this region, or no longer at all."""

    hint = "Allow the model in Amazon Bedrock for this account and region, or choose another."


def leaf_names(base: type[NamedError] = PipelineError) -> frozenset[str]:
    """The names a state machine may match: every class below `base` without a subclass."""
    children = base.__subclasses__()
    if not children:
        return frozenset({base.__name__})
    return frozenset().union(*(leaf_names(child) for child in children))
