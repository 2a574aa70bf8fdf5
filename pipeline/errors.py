"""The named errors of the pipeline, grouped by what Step Functions does next.

    PipelineError
    ├── PermanentError     the same input will fail again: quarantined, never retried
    │   ├── UnsupportedMedia  CorruptMedia  MediaTooLarge  NoSubject
    │   ├── NoAudio  MediaTooLong  UnsupportedLanguage
    │   ├── InvalidOptions  InvalidPrompt  UnknownModel  LicenseNotAccepted
    │   ├── PhotoRefused  BatchNotEnabled
    │   ├── CollectionMissing  CollectionExists  ConsentMissing  EmbeddingMismatch
    │   ├── CollectionTooLarge
    │   └── SourceMissing  SourceForbidden  SourceArchived  SourceChanged
    ├── HandedOver         another product's state machine processes the input: nothing failed
    │   └── OtherMedia  OtherProduct
    ├── CapacityError      the function is too small: retried with the fallback model, or failed
    │   └── OutOfMemory  OutOfStorage
    ├── TransientError     may succeed later: retried, then left uncaught for Redrive
    │   ├── StoreUnavailable  WeightsUnavailable  ModelUnavailable  CollectionBusy
    │   └── WeightsClaimed (only where weights are staged)
    ├── DeploymentError    the deployment is at fault: left uncaught, for an operator and Redrive
    │   └── KeyUnusable  SegmentMismatch
    └── WeightsError       the model is at fault, not the input
        ├── WeightsNotStaged (staged once, then retried)  WeightsMismatch (never loaded)
        └── WeightsForbidden (never fetched)  ModelNotOffered (left uncaught, for an operator)

State machines match the exact class name of a leaf; a base class never matches. Any other exception
is a bug and stays uncaught.
"""

from __future__ import annotations

from textwrap import shorten
from typing import ClassVar, Final, TypeVar

__all__ = [
    "BatchNotEnabled",
    "CapacityError",
    "CollectionBusy",
    "CollectionExists",
    "CollectionMissing",
    "CollectionTooLarge",
    "ConsentMissing",
    "CorruptMedia",
    "DeploymentError",
    "EmbeddingMismatch",
    "HandedOver",
    "InvalidOptions",
    "InvalidPrompt",
    "KeyUnusable",
    "LicenseNotAccepted",
    "MediaTooLarge",
    "MediaTooLong",
    "ModelNotOffered",
    "ModelUnavailable",
    "NamedError",
    "NoAudio",
    "NoSubject",
    "OtherMedia",
    "OtherProduct",
    "OutOfMemory",
    "OutOfStorage",
    "PermanentError",
    "PhotoRefused",
    "PipelineError",
    "SegmentMismatch",
    "SourceArchived",
    "SourceChanged",
    "SourceForbidden",
    "SourceMissing",
    "StoreUnavailable",
    "TransientError",
    "UnknownModel",
    "UnsupportedLanguage",
    "UnsupportedMedia",
    "WeightsClaimed",
    "WeightsError",
    "WeightsForbidden",
    "WeightsMismatch",
    "WeightsNotStaged",
    "WeightsUnavailable",
    "leaf_names",
    "leaves",
]


# Characters. Step Functions truncates a Cause at 32,768, which would break its JSON.
MESSAGE_LIMIT: Final = 1_000


class NamedError(Exception):
    """A failure with a name that state machines match: what is wrong, and a hint on line two."""

    hint: ClassVar[str]

    def __init__(self, message: str) -> None:
        self.message = shorten(message, MESSAGE_LIMIT, placeholder=" …")
        super().__init__(f"{self.message}\n{self.hint}")


class PipelineError(NamedError):
    """A failure of one execution: of its input, its model, or a service."""


class PermanentError(PipelineError):
    """The same input fails on every attempt."""


class UnsupportedMedia(PermanentError):
    """The file is not in a supported format."""

    hint = (
        "Upload a photo (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF) or a recording (WAV, MP3, "
        "M4A, FLAC, Ogg, Opus, AAC, WMA, MP4, MOV, MKV or WebM); the content decides, not the name."
    )


class CorruptMedia(PermanentError):
    """The file is damaged or incomplete."""

    hint = "Open the file and save it again, or upload it again."


class MediaTooLarge(PermanentError):
    """The file exceeds a limit, such as on its bytes or pixels."""

    hint = "Upload a smaller copy, or, for an output image, set the option size."


class MediaTooLong(PermanentError):
    """The recording lasts longer than a limit allows."""

    hint = "Cut the recording into parts and upload each."


class NoAudio(PermanentError):
    """The file holds neither sound nor a film."""

    hint = "Check that the file was exported with its sound, then upload it again."


class UnsupportedLanguage(PermanentError):
    """The model does not know the language that the option asks for, or does not translate."""

    hint = "Choose another model, or omit language, to have it detected, or translate."


class InvalidOptions(PermanentError):
    """The execution input, object metadata or a profile has an unknown option or invalid value."""

    hint = "Correct the named option, then try again."


class InvalidPrompt(PermanentError):
    """The points or boxes do not fit the photo or the model."""

    # The part of the prompts that is wrong, such as `0.points.1`, if the error is about one part.
    field: str = ""

    hint = (
        "Give x,y in pixels after rotation, or between 0 and 1, from the top left corner. "
        "Only Segment Anything models accept points and boxes; they need at least one."
    )


class UnknownModel(PermanentError):
    """The catalogue has no model of this name."""

    hint = "Choose a model that `matteline models list` shows."


class NoSubject(PermanentError):
    """The model found no subject in the photo."""

    hint = "Crop the photo closer to its subject, or choose a stronger model."


class SourceMissing(PermanentError):
    """The bucket has no such object, or it was deleted before its result was published."""

    hint = "Check the bucket and the key, then upload the file again."


class SourceForbidden(PermanentError):
    """The bucket denies access or is in another region, or the file needs its uploader's key."""

    hint = (
        "Copy the file to the ingest bucket, without a customer-provided key (SSE-C); the upload "
        "starts an execution."
    )


class SourceArchived(PermanentError):
    """The object is archived and cannot be read before it is restored."""

    hint = (
        "Restore the object: `aws s3api restore-object --bucket BUCKET --key KEY --restore-request "
        "Days=7`. Once `aws s3api head-object` shows that it is restored, run `matteline "
        "quarantine release` with the execution's name."
    )


class SourceChanged(PermanentError):
    """The object was replaced before its event arrived, or while its execution was running."""

    hint = "No action needed: the new object starts its own execution."


class LicenseNotAccepted(PermanentError):
    """The model's licence does not allow commercial use, and no operator has accepted it."""

    hint = (
        "Choose another model, or accept the licence by name: set MATTELINE_ACCEPTED_LICENCES, "
        "or pass --accept-licence on the command line."
    )


class PhotoRefused(PermanentError):
    """A hosted model declined to process the photo."""

    hint = "Choose a model not hosted by Amazon Bedrock; hosted models may decline photos."


class BatchNotEnabled(PermanentError):
    """The model, or the option compute, needs AWS Batch, which this stage does not have."""

    hint = "Choose another model, or compute lambda; or turn on matteline:batch and deploy again."


class CollectionMissing(PermanentError):
    """There is no collection of this name, or it was deleted."""

    hint = "Choose a collection that `matteline collections list` shows, or create it."


class CollectionExists(PermanentError):
    """There is a collection of this name already, with another purpose, model or retention."""

    hint = "Choose another name, or delete the collection first."


class ConsentMissing(PermanentError):
    """A collection was to be created without a purpose, a legal basis or a retention."""

    hint = "Say why these vectors may be kept, on which legal basis, and for how many days."


class EmbeddingMismatch(PermanentError):
    """The vectors are of another model, other weights or another size than the collection's."""

    hint = "Use the collection's model, or create a collection for this one."


class CollectionTooLarge(PermanentError):
    """The collection does not fit into the function that searches it."""

    hint = (
        "Move it to Amazon S3 Vectors: `matteline collections move NAME --to s3-vectors`. "
        "Do so above 2 million vectors, 10 seconds to load, or 20 searches a second, too."
    )


class HandedOver(PipelineError):
    """The input is another product's: its state machine gets it, and this one has nothing to do."""


class OtherMedia(HandedOver):
    """The file is a recording under a photo's name, or a photo under a recording's."""

    hint = "No action needed: the state machine of that product makes its result."


class OtherProduct(HandedOver):
    """The object's metadata asks for another product than the one that its name started."""

    hint = "No action needed: the state machine of that product makes its result."


class CapacityError(PipelineError):
    """The function is too small for this input with this model."""


class OutOfMemory(CapacityError):
    """The function has too little memory for this input with this model."""

    hint = "Upload a smaller copy, set allow_fallback, or raise the model's memory_mb."


class OutOfStorage(CapacityError):
    """The function has too little disk space for the model's files."""

    hint = "Free disk space, or raise the container's storage_mb."


class TransientError(PipelineError):
    """The same input may succeed on a later attempt."""


class StoreUnavailable(TransientError):
    """S3 or Secrets Manager was too busy or did not respond."""

    hint = "Redrive the execution when AWS responds again."


class WeightsUnavailable(TransientError):
    """No source of the model's weights responded."""

    hint = (
        "Connect to the internet or a package index, or set MATTELINE_WEIGHTS_MIRROR to a folder "
        "or URL that has the file; then try again."
    )


class ModelUnavailable(TransientError):
    """A hosted model did not respond or has no capacity left."""

    hint = "Redrive the execution later, or request a higher quota for the model."


class WeightsClaimed(TransientError):
    """Another execution is staging the same weights."""

    hint = "No action needed: this execution waits, then uses or stages the weights."


class CollectionBusy(TransientError):
    """Others changed the collection first, again and again."""

    hint = "Try again; if it lasts, enroll fewer photos at once."


class DeploymentError(PipelineError):
    """The deployment is at fault, not the input; the same input succeeds once it is corrected."""


class KeyUnusable(DeploymentError):
    """KMS cannot use the key of a bucket or object: it is disabled, missing or being deleted."""

    hint = "Enable the key in AWS KMS, or cancel its deletion; then redrive the execution."


class SegmentMismatch(DeploymentError):
    """A segment of a collection is missing, or is not what the collection's head says."""

    hint = (
        "Find out who changed the collections bucket. Enroll the photos again if the segment "
        "cannot be restored."
    )


class WeightsError(PipelineError):
    """The model is at fault, not the input."""


class WeightsNotStaged(WeightsError):
    """The models bucket has no complete copy of the weights."""

    hint = "Start the stage-weights state machine for this model."


class WeightsForbidden(WeightsError):
    """A gated source or bucket denied access, or its token, object or key cannot be used."""

    hint = (
        "Store the token that the model's row names and give the model downloader access to it "
        "and to the bucket, or use a mirror; then stage the weights again."
    )


class WeightsMismatch(WeightsError):
    """The weights differ from the catalogue, in checksum or in shape; they are never loaded."""

    hint = (
        "Delete the copy if it is on your own disk; treat any other source as compromised until "
        "you know why its bytes changed."
    )


class ModelNotOffered(WeightsError):
    """The hosted model is unavailable to this account and region, or withdrawn."""

    hint = "Enable the model in Amazon Bedrock for this account and region, or choose another."


_Kind = TypeVar("_Kind", bound=NamedError)


def leaves(base: type[_Kind]) -> dict[str, type[_Kind]]:
    """Return the classes below `base` without subclasses, by their names."""
    children = base.__subclasses__()
    if not children:
        return {base.__name__: base}
    return {name: kind for child in children for name, kind in leaves(child).items()}


def leaf_names(base: type[NamedError] = PipelineError) -> frozenset[str]:
    """Return the names that a state machine may match: classes below `base` without subclasses."""
    return frozenset(leaves(base))
