"""What the downloader leaves in the models bucket, as values: `manifest.json` and what it says."""

import math
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.artifacts import Artifact
from pipeline.declared.models import ConverterName, Digest
from pipeline.errors import WeightsMismatch
from pipeline.hardware import cpu_family

Precision = Literal["float32", "int8-matmul"]
# What becomes of a run's memory: returned when its last reader is done, kept for the next run, or
# mapped, which is returned with large blocks mapped one by one.
Memory = Literal["returned", "kept", "mapped"]

# The one place that says how far an answer may move. 8-bit products are not exact: for them only
# the mask counts.
MAX_DIFFERENCE: Final[dict[Precision, float | None]] = {"float32": 1e-3, "int8-matmul": None}
MASK_ERROR: Final[dict[Precision, float]] = {"float32": 1e-4, "int8-matmul": 3e-3}
# Of a network that listens: the share of a step's probability that goes to other characters, and
# the share of steps in which another character becomes the likeliest.
STEP_ERROR: Final[dict[Precision, float]] = {"float32": 1e-4, "int8-matmul": 0.1}
STEPS_CHANGED: Final[dict[Precision, float]] = {"float32": 1e-3, "int8-matmul": 0.05}


class Staged(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Runtime(Staged):
    """What a network was made for; on any other it might not load, or answer wrongly.

    `cpu` is None for a network that no CPU's layout has been given to: it runs on all. The
    instances of one function may run on CPUs of several kinds. A GPU runs it too, except in 8 bits.
    """

    onnxruntime: str
    cpu: str | None
    gpu: bool = Field(default=False, exclude_if=lambda gpu: not gpu)

    @classmethod
    def here(cls, *, onnxruntime: str, gpu: bool = False) -> "Runtime | None":
        """What this machine is, for a version of onnxruntime; None if its CPU cannot be told."""
        if gpu:
            return cls(onnxruntime=onnxruntime, cpu=None, gpu=True)
        cpu = cpu_family()
        return cls(onnxruntime=onnxruntime, cpu=cpu) if cpu else None

    def serves(self, here: "Runtime | None") -> bool:
        """Whether what was made for this runs `here`."""
        if here is None or here.onnxruntime != self.onnxruntime:
            return False
        return self.cpu in {None, here.cpu}

    def __str__(self) -> str:
        cpu = self.cpu or "any CPU"
        return f"onnxruntime {self.onnxruntime} on {'a GPU' if self.gpu else cpu}"


class Proof(Staged):
    """How far an optimised network's answers are from the published one's, at worst.

    Measured on the CPU that staged the network. On another kind only rounding differs: the sums of
    products in 8 bits are exact on every CPU.

    `pictures` counts what was drawn, which may be sounds. `max_difference` is between two numbers
    of the used outputs, `mask_error` the mean over all. With `steps`, the answers are probabilities
    of characters in so many steps of sound: `max_difference` is between two of these, `mask_error`
    the mean share of a step's probability that goes to other characters, and `steps_changed` counts
    the steps in which another character becomes the likeliest.
    What was allowed is written down for the reader: whether the proof holds is asked of the code.
    """

    pictures: int
    steps: int = Field(default=0, exclude_if=lambda steps: not steps)
    steps_changed: int = Field(default=0, exclude_if=lambda steps: not steps)
    max_difference: float
    max_difference_allowed: float | None
    mask_error: float
    mask_error_allowed: float

    def holds(self, precision: Precision) -> bool:
        """Whether that is near enough for a network of this precision. No number never is."""
        allowed = MAX_DIFFERENCE[precision]
        near = allowed is None or self.max_difference <= allowed
        finite = math.isfinite(self.max_difference)
        if not self.steps:
            return finite and near and self.mask_error <= MASK_ERROR[precision]
        alike = self.steps_changed <= STEPS_CHANGED[precision] * self.steps
        return finite and near and alike and self.mask_error <= STEP_ERROR[precision]


class NamedArtifact(Staged):
    name: str = Field(pattern=r"^\w[\w. -]*$")  # a plain file name: it may not leave its folder
    artifact: Artifact


class RunFigures(Staged):
    """What a run takes: processor time in ms, and the process's peak resident memory in MB."""

    cpu_ms: float
    peak_mb: float


class SessionSettings(Staged):
    """How a network is opened, chosen where it was staged.

    `runs` are the least processor time and the peak of both choices, with `threads` threads and
    after two more; empty where they were not measured.
    """

    memory: Memory
    threads: int
    runs: dict[Memory, RunFigures] = Field(default_factory=dict)


class OptimisedNetwork(Staged):
    """A network made of the published one, for one runtime. `files` has the network first.

    `edition` counts what has become of the optimisation; 0 is from before it was counted. `session`
    is None from before it was measured.
    """

    source_sha256: str
    runtime: Runtime
    precision: Precision
    rewrites: dict[str, int]
    edition: int = 0
    proof: Proof
    files: tuple[NamedArtifact, ...] = Field(min_length=1)
    session: SessionSettings | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def memory(self) -> Memory:
        """What becomes of a run's memory: returned, unless it was measured to be worth keeping."""
        return self.session.memory if self.session else "returned"

    @property
    def proven(self) -> bool:
        return self.proof.holds(self.precision)


class ConvertedNetwork(Staged):
    """The ONNX network that a published file was converted to, in `file`.

    The same version of a converter makes the same bytes of the same file, and of its manifest if it
    has one.
    """

    source_sha256: str
    manifest_sha256: str | None = Field(default=None, exclude_if=lambda sha256: sha256 is None)
    converter: ConverterName
    version: int
    file: NamedArtifact


class CutNetwork(Staged):
    """The network made of the published one that ends before it enlarges its answer.

    `proof` compares its answers, enlarged, with the published network's. It runs on every CPU.
    """

    source_sha256: str
    proof: Proof
    file: NamedArtifact


class CarriedState(Staged):
    """What one run of a streaming network leaves for the next.

    The output `given` becomes the input `taken`; before the first run it is zeros of `shape`.
    """

    taken: str
    given: str
    shape: tuple[int, ...]


class StreamNetwork(Staged):
    """The network made of the published one whose runs continue each other, with its `states`.

    `proof` compares its answers for pieces of several lengths with the published network's for the
    whole. It runs on every CPU.
    """

    source_sha256: str
    states: tuple[CarriedState, ...]
    proof: Proof
    file: NamedArtifact


class PassedTrial(Staged):
    """A trial run that a network passed: what ran it, and the SHA-256 of what its row declares."""

    runtime: Runtime
    declared_sha256: str


class StagedManifest(NamedArtifact):
    """The file that describes a published file's tensors, as it was staged next to it."""

    digest: Digest | None
    source: str


class StagedFile(NamedArtifact):
    """A file as it was staged: what the publisher states, where it came from, what we hold.

    The artifact's SHA-256 is ours, and pins the file where the publisher states an MD5, or nothing
    (then `digest` is null). If it
    is a network, optimised ones lie beside it, best first; `not_optimised` says why there is none,
    `not_quantised` why none in 8 bits although the catalogue asks for it. `cut` is the network that
    its engine wants cut, `not_cut` why there is none, and so are `stream` and `not_streamed` for a
    network that its engine wants streamed; none is written for other files. `trial` is written only
    on a machine that keeps what it staged, to spare it the same trial again.

    Of a file that is no network yet, `converted` is the network: what is optimised, cut or streamed
    is made of it. `manifest` is the file that describes its tensors. Neither is written for other
    files.
    """

    digest: Digest | None
    source: str
    manifest: StagedManifest | None = Field(default=None, exclude_if=lambda found: found is None)
    converted: ConvertedNetwork | None = Field(default=None, exclude_if=lambda made: made is None)
    optimised: tuple[OptimisedNetwork, ...] = ()
    not_optimised: str | None = None
    not_quantised: str | None = None
    cut: CutNetwork | None = Field(default=None, exclude_if=lambda cut: cut is None)
    not_cut: str | None = Field(default=None, exclude_if=lambda why: why is None)
    stream: StreamNetwork | None = Field(default=None, exclude_if=lambda stream: stream is None)
    not_streamed: str | None = Field(default=None, exclude_if=lambda why: why is None)
    trial: PassedTrial | None = Field(default=None, exclude_if=lambda trial: trial is None)

    @property
    def network(self) -> NamedArtifact:
        """The file that is run: the published one, or what it was converted to."""
        return self.converted.file if self.converted else self

    def best(self, digest: str | None, here: Runtime | None) -> OptimisedNetwork | None:
        """The network to run `here`; None if only the published one may be.

        `digest` is what the catalogue says the published file hashes to, None if it does not.
        """
        able = (each for each in self.optimised if self._why_not(each, digest, here) is None)
        return next(able, None)

    def why_not_best(self, digest: str | None, here: Runtime | None) -> str:
        """Why the first of the optimised networks does not run `here`."""
        if not self.optimised:
            return self.not_optimised or "it was staged without an optimised network"
        return self._why_not(self.optimised[0], digest, here) or "it does"

    def _why_not(
        self, network: OptimisedNetwork, digest: str | None, here: Runtime | None
    ) -> str | None:
        if not network.runtime.serves(here):
            return f"the optimised network was made for {network.runtime}; this is {here}"
        if here is not None and here.gpu and network.precision != "float32":
            return f"the optimised network, in {network.precision}, is for CPUs; this is {here}"
        algorithm, _, published = (digest or "").partition(":")
        known = {self.artifact.sha256, *([published] if algorithm == "sha256" else [])}
        if self.converted:
            known.add(self.converted.source_sha256)
        made_of_it = network.source_sha256 == self.network.artifact.sha256
        if self.digest != digest or len(known) > 1 or not made_of_it:
            return "the optimised network was made of other weights"
        return None if network.proven else "the optimised network's proof does not hold"


class StagedWeights(Staged):
    """`models/<name>/<revision>/manifest.json`: written last, so whoever sees it sees it all."""

    model: str
    licence: str
    files: tuple[StagedFile, ...] = Field(min_length=1)

    @property
    def published(self) -> tuple[StagedFile | StagedManifest, ...]:
        """The files that were fetched: those of `files`, each before its manifest."""
        return tuple(
            each for file in self.files for each in (file, file.manifest) if each is not None
        )

    @classmethod
    def parse(cls, content: bytes, *, uri: str) -> Self:
        """The manifest that was read from `uri`; WeightsMismatch if it is none."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise WeightsMismatch(f"{uri} is no manifest of staged weights") from error
