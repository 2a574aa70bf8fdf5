"""What the downloader leaves in the models bucket, as values: `manifest.json` and what it says."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.artifacts import Artifact
from pipeline.cpu import cpu_family
from pipeline.errors import WeightsMismatch
from pipeline.manifest import Digest

Precision = Literal["float32", "int8-matmul"]


class Staged(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Runtime(Staged):
    """What an optimised network was made for; on any other it might not load, or answer wrongly."""

    onnxruntime: str
    cpu: str

    @classmethod
    def here(cls, *, onnxruntime: str) -> "Runtime | None":
        """What this machine is, for a version of onnxruntime; None if its CPU cannot be told."""
        cpu = cpu_family()
        return cls(onnxruntime=onnxruntime, cpu=cpu) if cpu else None

    def __str__(self) -> str:
        return f"onnxruntime {self.onnxruntime} on {self.cpu}"


class Proof(Staged):
    """How far an optimised network's answers are from the published one's, at worst.

    `max_difference` is between two numbers of output 0, `mask_error` the mean over a whole mask.
    """

    pictures: int
    max_difference: float
    max_difference_allowed: float | None
    mask_error: float
    mask_error_allowed: float

    @property
    def holds(self) -> bool:
        allowed = self.max_difference_allowed
        near = allowed is None or self.max_difference <= allowed
        return near and self.mask_error <= self.mask_error_allowed


class NamedArtifact(Staged):
    name: str = Field(pattern=r"^\w[\w. -]*$")  # a plain file name: it may not leave its folder
    artifact: Artifact


class OptimisedNetwork(Staged):
    """A network made of the published one, for one runtime. `files` has the network first."""

    source_sha256: str
    runtime: Runtime
    precision: Precision
    rewrites: dict[str, int]
    proof: Proof
    not_quantised: str | None = None
    files: tuple[NamedArtifact, ...] = Field(min_length=1)


class StagedFile(NamedArtifact):
    """A file as it was staged: what the publisher states, where it came from, what we hold.

    The artifact's SHA-256 is ours, and pins the file where the publisher states an MD5 only. If it
    is a network, an optimised one is beside it, or the reason why none is.
    """

    digest: Digest
    source: str
    optimised: OptimisedNetwork | None = None
    not_optimised: str | None = None

    def why_plain(self, digest: str, runtime: Runtime | None) -> str | None:
        """Why the published file has to serve; None if the optimised network may.

        `digest` is what the catalogue says the published file hashes to.
        """
        network = self.optimised
        if network is None:
            return self.not_optimised or "it was staged without an optimised network"
        if network.runtime != runtime:
            return f"the optimised network was made for {network.runtime}; this is {runtime}"
        algorithm, _, published = digest.partition(":")
        known = {self.artifact.sha256, *([published] if algorithm == "sha256" else [])}
        if self.digest != digest or known != {network.source_sha256}:
            return "the optimised network was made of other weights"
        return None if network.proof.holds else "the optimised network's proof does not hold"


class StagedWeights(Staged):
    """`models/<name>/<revision>/manifest.json`: written last, so whoever sees it sees it all."""

    model: str
    licence: str
    files: tuple[StagedFile, ...] = Field(min_length=1)

    @classmethod
    def parse(cls, content: bytes, *, uri: str) -> Self:
        """The manifest that was read from `uri`; WeightsMismatch if it is none."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise WeightsMismatch(f"{uri} is no manifest of staged weights") from error
