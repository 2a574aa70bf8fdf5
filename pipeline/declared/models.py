"""Declare model rows: the frozen values of `containers/*/models.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from pipeline.declared.addresses import Address, is_unpacked, rooted
from pipeline.declared.declaration import (
    MOST_BATCH_MEMORY_MB,
    MOST_MEMORY_MB,
    Declaration,
    KebabName,
)
from pipeline.declared.engines import Engine, EngineFile
from pipeline.declared.revisions import MANIFEST, UNSTATED, file_identity, weights_prefix

LicenceName = Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$")]  # as SPDX spells it
Digest = Annotated[str, StringConstraints(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Output = Literal["mask", "alpha"]
# Converters of the model downloader: of PyTorch's checkpoints, and of TensorFlow.js's tensors. The
# latter read a second file, the manifest, which describes the tensors.
CheckpointConverter = Literal[
    "ge2e", "inception-resnet-v1", "mtcnn-onet", "mtcnn-pnet", "mtcnn-rnet", "pyannet"
]
TensorConverter = Literal[
    "face-api-ages", "face-api-expressions", "face-api-landmarks", "face-api-recognition",
    "face-api-ssd", "face-api-tiny",
]  # fmt: skip
ConverterName = Literal[CheckpointConverter, TensorConverter]
Written = Mapping[str, Any]  # a row as its file has it
Spec = TypeVar("Spec", bound=BaseModel)

_CLAIM: Final = "claim.json"
_READS_A_MANIFEST: Final = frozenset(get_args(TensorConverter))


def _stated(digest: object) -> object:
    return None if digest == UNSTATED else digest


class PublishedFile(Declaration):
    """A file as its publisher offers it. `digest` is the publisher's; it names the staged copy.

    `digest = "unstated"` means that the publisher states none: it becomes None, and the first
    staging records one. Then every address must be https:// or hf://, so that nobody between the
    publisher and that staging can replace the file.

    A `file:` address without a leading slash is relative to the catalogue file that states it.
    `bytes` limits what is unpacked, so an address in a package or an archive requires it.
    `token` names the secret that opens a gated source. It belongs to the first address: no other
    host is sent the secret.
    """

    name: str = Field(pattern=r"^\w[\w. -]*$")  # a plain file name: it may not leave its folder
    urls: tuple[Address, ...] = ()
    digest: Annotated[Digest | None, BeforeValidator(_stated)]
    bytes: int | None = Field(default=None, ge=1)
    token: str | None = Field(default=None, min_length=1)

    @field_validator("name")
    @classmethod
    def _is_not_taken(cls, name: str) -> str:
        if name in {MANIFEST, _CLAIM}:
            raise ValueError(f"{name} is written by staging itself")
        return name

    @model_validator(mode="after")
    def _tokens_travel_encrypted(self) -> Self:
        if self.token and not (self.urls and self.urls[0].startswith(("https:", "hf:"))):
            raise ValueError("a token needs a first address that is https:// or hf://")
        return self

    @model_validator(mode="after")
    def _unpacking_is_bounded(self) -> Self:
        if self.bytes is None and any(is_unpacked(url) for url in self.urls):
            raise ValueError("an address in a package or archive needs `bytes`, the file's size")
        return self

    @model_validator(mode="after")
    def _unstated_digests_are_taken_from_the_publisher(self) -> Self:
        if self.digest is not None:
            return self
        if not self.urls or not all(url.startswith(("https:", "hf:")) for url in self.urls):
            raise ValueError("a file without a digest needs addresses that are https:// or hf://")
        return self

    @property
    def stated(self) -> tuple[str, str] | None:
        """Algorithm and hexadecimal digits of the publisher's digest; None if there is none."""
        algorithm, _, digits = (self.digest or "").partition(":")
        return (algorithm, digits) if digits else None

    def refuses(self, checksums: Mapping[str, str]) -> bool:
        """Return True if the publisher states another digest than these, which are by algorithm."""
        return self.stated is not None and checksums[self.stated[0]] != self.stated[1]

    @property
    def identity(self) -> str:
        """The digest; without one, the address that the first staging takes the file from."""
        return file_identity(self.digest, self.urls)


class WeightsFile(PublishedFile):
    """One file of a model.

    `convert` names what makes the file an ONNX network while it is staged. `digest` is that of the
    published file. `manifest` is the file that describes its tensors, if the converter reads one.
    """

    convert: ConverterName | None = None
    manifest: PublishedFile | None = None

    @model_validator(mode="after")
    def _has_the_manifest_that_its_converter_reads(self) -> Self:
        reads = self.convert in _READS_A_MANIFEST
        if reads and self.manifest is None:
            raise ValueError(f"{self.convert} needs a `manifest`, which describes the tensors")
        if self.manifest and not reads:
            raise ValueError(f"{self.convert or 'a file that is not converted'} has no manifest")
        if self.manifest and (self.manifest.digest is None or self.manifest.bytes is None):
            raise ValueError("a manifest needs a digest and `bytes`")
        return self

    @property
    def identity(self) -> str:
        """As for any file; a manifest's digest is part of it."""
        manifest = self.manifest.digest if self.manifest else None
        return file_identity(self.digest, self.urls, manifest)


class Lifecycle(Declaration):
    """When a provider ends a hosted model: the day `ends`, as announced by the day `read`.

    Without `ends`, the provider had announced no day by then.
    """

    read: date
    ends: date | None = None


class ModelRow(Declaration):
    """One model of the catalogue: a row, not a class. It belongs to one container.

    `container` is the name of the file's folder; only an overlay's row may state it. `table` has
    the engine's fields; the file names it after the engine. `quantise` asks for matrix products in
    8 bits, if the answers stay the same. `output` is `alpha` for a network whose answer is a matte:
    the edge refiner then follows its own result only in part. `suits` and `measured` name a group
    and a measured network of the container's file. `lifecycle` is for hosted models only. One whose
    `compute` is `batch` has no Lambda function, because none holds it or is fast enough.
    """

    name: KebabName
    container: KebabName
    summary: str
    engine: Engine
    table: Mapping[str, Any]
    licence: LicenceName
    commercial: bool
    memory_mb: Annotated[int, Field(ge=128, le=MOST_BATCH_MEMORY_MB)]
    compute: Literal["lambda", "batch"] = "lambda"
    fallback: KebabName | None = None
    files: tuple[WeightsFile, ...] = ()
    quantise: Literal["int8-matmul"] | None = None
    output: Output = "mask"
    suits: KebabName | None = None
    measured: KebabName | None = None
    lifecycle: Lifecycle | None = None

    @model_validator(mode="after")
    def _fits_where_it_runs(self) -> Self:
        if self.compute == "lambda" and self.memory_mb > MOST_MEMORY_MB:
            raise ValueError(f"a function has at most {MOST_MEMORY_MB} MB: set compute = 'batch'")
        if self.compute == "batch" and self.hosted:
            raise ValueError("a hosted model is called by a function")
        return self

    @model_validator(mode="after")
    def _has_the_files_its_engine_needs(self) -> Self:
        wanted = len(self.engine.files)
        if len(self.files) != wanted:
            raise ValueError(
                f"engine {self.engine.name} needs files: {wanted}, not {len(self.files)}"
            )
        return self

    @model_validator(mode="after")
    def _converts_only_networks(self) -> Self:
        for file, role in zip(self.files, self.engine.files, strict=True):
            if file.convert and not role.inputs:
                raise ValueError(f"{file.name} is no network, so nothing can be converted to one")
        return self

    @model_validator(mode="after")
    def _has_files_of_different_names(self) -> Self:
        names = [file.name for file in self.published]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two files are called {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _only_hosted_models_end(self) -> Self:
        if self.lifecycle and not self.hosted:
            raise ValueError("only a hosted model has a lifecycle")
        return self

    def spec(self, kind: type[Spec]) -> Spec:
        """Return the table as the container's own type.

        Raises ValidationError if the table is another engine's.
        """
        return kind.model_validate(self.table)

    def role(self, name: str) -> EngineFile:
        """Return what the engine declares for the row's file `name`."""
        return next(
            role
            for file, role in zip(self.files, self.engine.files, strict=True)
            if file.name == name
        )

    @property
    def published(self) -> tuple[PublishedFile, ...]:
        """All files to fetch: those of `files`, each before its manifest."""
        return tuple(
            each for file in self.files for each in (file, file.manifest) if each is not None
        )

    @property
    def hosted(self) -> bool:
        """True if Amazon Bedrock runs the model: it has no weights to stage."""
        return self.engine.hosted is not None

    @property
    def hosted_model(self) -> str | None:
        """The model or inference profile of Amazon Bedrock that the model's function invokes."""
        return self.engine.hosted_model(self.table)

    @property
    def verified(self) -> bool:
        """True if the publisher states a digest of every file, or there is no file."""
        return all(file.digest is not None for file in self.published)

    @property
    def takes_prompts(self) -> bool:
        """True if the model must be shown its subject with points and boxes."""
        return self.engine.prompts

    @property
    def weights_prefix(self) -> str:
        return weights_prefix(self.name, [file.identity for file in self.files], self.quantise)

    @property
    def weights_key(self) -> str:
        """The key of the staged weights record, written last: if it exists, the weights do."""
        return f"{self.weights_prefix}/{MANIFEST}"

    @property
    def claim_key(self) -> str:
        """The key of the claim that one execution holds while it stages the model."""
        return f"{self.weights_prefix}/{_CLAIM}"


def read_row(
    fields: Written, container: str, engines: Mapping[str, Engine], folder: Path
) -> ModelRow:
    """Parse a row of `container`; make its relative `file:` addresses absolute."""
    name, engine = fields.get("name"), engines.get(str(fields.get("engine")))
    if engine is None:
        known = ", ".join(engines)
        raise ValueError(f"{name}: {container} has no engine {fields.get('engine')}, but {known}")
    if fields.get("container", container) != container:
        raise ValueError(f"{name}: its container is that of its folder, {container}")
    row = _row_type(engine).model_validate({**fields, "container": container, "engine": engine})
    files = tuple(_rooted(file, folder) for file in row.files)
    return row.model_copy(update={"files": files})


def _rooted(file: WeightsFile, folder: Path) -> WeightsFile:
    """Return the file, and its manifest, with absolute `file:` addresses."""
    manifest = file.manifest
    if manifest is not None:
        urls = tuple(rooted(url, folder) for url in manifest.urls)
        manifest = manifest.model_copy(update={"urls": urls})
    urls = tuple(rooted(url, folder) for url in file.urls)
    return file.model_copy(update={"urls": urls, "manifest": manifest})


@cache
def _row_type(engine: Engine) -> type[ModelRow]:
    """Make the type of an engine's rows: its table has the engine's name, for errors by field."""
    default: Any = ... if engine.fields else {}
    table: Any = (engine.table_type, Field(default, alias=engine.name))
    return create_model("ModelRow", __base__=ModelRow, table=table)
