"""Declare containers: the frozen values of `container.toml`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.declared.access import (
    Access,
    ExecutionAction,
    Invocation,
    LogAction,
    MachineAccess,
    TableAccess,
)
from pipeline.declared.declaration import (
    BatchMemoryMb,
    Declaration,
    KebabName,
    MemoryMb,
    beside_handlers,
    naming,
    pascal_case,
    read_toml,
)

SemanticVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


FindingsLimit = Literal["max_critical", "max_high", "max_medium"]


class BatchJob(Declaration):
    """What a container's jobs on AWS Batch get, each of which runs one task in the same image.

    A job has `memory_mb`, or its model's if that is more. `gpu` says that the container's GPU image
    can use a GPU, which a job then gets where a stage has machines with GPUs. That image may add
    `gpu_image_mb` to its base.
    """

    vcpus: int = Field(ge=1, le=64)
    memory_mb: BatchMemoryMb
    timeout_s: int = Field(ge=60, le=86_400)
    gpu: bool = False
    gpu_image_mb: Annotated[int, Field(ge=1, le=20_480)] | None = None

    @model_validator(mode="after")
    def _limits_the_gpu_image_it_has(self) -> Self:
        if self.gpu != (self.gpu_image_mb is not None):
            raise ValueError("gpu = true and gpu_image_mb must be set together")
        return self


class ContainerManifest(Declaration):
    """`containers/<folder>/container.toml`; the limits are Lambda's own.

    `job` is the contract of the task it does, and `other_jobs` are those of tasks that the same
    functions do beside it; one that `serves` HTTP answers requests of API Gateway instead.
    `environment` is what its process needs before it starts; a deployment adds its settings.
    `access`, `vector_buckets` (of S3 Vectors), `tables`, `executions` (Step Functions' own actions,
    on executions of products), `machines` (the same, on a machine that is no product's), `logs`
    (CloudWatch Logs' own actions, on what the deployment's functions log) and `invokes` are what
    its role may do, and nothing more; with `reads_sources` also what the `s3://` addresses and the
    tokens of catalogue rows name. `gate` is how many findings of a severity an image may be
    released with, where that differs from the release gate's own limits. `batch` says that its
    models may run on AWS Batch too.
    `image_mb` is the most its image may add to its base, unpacked. `data` are patterns, relative to
    the repository, of the files beside its code that it reads; `catalogue` says whose model rows it
    reads, its own or all containers': see `pipeline.releases.shipping`.
    """

    name: KebabName
    version: SemanticVersion
    summary: str
    job: str | None = None
    other_jobs: tuple[str, ...] = ()
    serves: Literal["http"] | None = None
    memory_mb: MemoryMb
    timeout_s: int = Field(ge=1, le=900)
    storage_mb: int = Field(default=512, ge=512, le=10_240)
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    image_mb: int = Field(ge=1, le=10_240)
    data: tuple[str, ...] = ()
    catalogue: Literal["own", "all"] = "own"
    function_per_model: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    access: tuple[Access, ...] = ()
    vector_buckets: tuple[KebabName, ...] = ()
    tables: tuple[TableAccess, ...] = ()
    executions: tuple[ExecutionAction, ...] = ()
    machines: tuple[MachineAccess, ...] = ()
    logs: tuple[LogAction, ...] = ()
    invokes: tuple[Invocation, ...] = ()
    gate: dict[FindingsLimit, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    reads_sources: bool = False
    batch: BatchJob | None = None

    @model_validator(mode="after")
    def _gives_models_access_only_where_functions_have_one(self) -> Self:
        if not self.function_per_model and any(access.is_of_a_model for access in self.access):
            raise ValueError("access by model or engine needs function_per_model = true")
        return self

    @model_validator(mode="after")
    def _runs_models_on_batch(self) -> Self:
        if self.batch and not self.function_per_model:
            raise ValueError("batch is for containers with function_per_model = true")
        return self

    @model_validator(mode="after")
    def _does_a_job_or_serves(self) -> Self:
        if (self.job is None) == (self.serves is None):
            raise ValueError('give a job, or serves = "http", and not both')
        if self.other_jobs and self.job is None:
            raise ValueError("other_jobs are beside a job")
        return self

    @property
    def folder(self) -> str:
        return self.name.replace("-", "_")

    @property
    def package(self) -> str:
        return f"containers.{self.folder}"

    @property
    def handler(self) -> str:
        """Return the handler that the image and the local cloud run."""
        return f"{self.package}.handler.handler"

    @property
    def has_gpu_image(self) -> bool:
        return self.batch is not None and self.batch.gpu

    @property
    def purpose(self) -> str:
        """Return its job, or what it serves, for people."""
        return self.job or f"serves {self.serves}"

    @property
    def placeholder(self) -> str:
        """Return the placeholder of its function's ARN in a state machine: `EdgeRefinerArn`."""
        return f"{pascal_case(self.name)}Arn"


def load_container(folder: Path) -> ContainerManifest:
    """Read one container's manifest; its name must be the folder's, in kebab-case."""
    path = folder / "container.toml"
    with naming(path):
        manifest = ContainerManifest.model_validate(read_toml(path))
        if manifest.folder != folder.name:
            raise ValueError(f"name {manifest.name!r} is not the folder's")
    return manifest


def load_containers(root: Path) -> tuple[ContainerManifest, ...]:
    """Read every container under `root/containers`, ordered by name."""
    return tuple(load_container(path.parent) for path in beside_handlers(root, "container.toml"))
