"""Read all declarations of the repository once, for the local cloud and for CDK."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipeline.compute import BatchMachines, JobMachines
from pipeline.declared.blueprint_checks import require_consistent
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.containers import BatchJob, ContainerManifest, load_containers
from pipeline.declared.declaration import pascal_case
from pipeline.declared.models import ModelRow
from pipeline.declared.names import Names
from pipeline.declared.placeholders import PLACEHOLDER, fill, fill_pattern
from pipeline.declared.products import (
    Product,
    ingest_pattern,
    load_products,
    require_on_request,
)
from pipeline.declared.resources import Operation, Resources, load_resources

BACKFILL_CONCURRENCY: Final = 20  # objects of a backfill at a time, unless a stage says otherwise
_MACHINE: Final = ".asl.json"
_TRIGGER: Final = ".trigger.json"
_SCHEDULE: Final = ".schedule.json"


@dataclass(frozen=True)
class DeclaredFunction:
    """A Lambda function: a container's, or a container's for one model row."""

    manifest: ContainerManifest
    row: ModelRow | None = None

    @property
    def model(self) -> str | None:
        return self.row.name if self.row else None

    @property
    def engine(self) -> str | None:
        return self.row.engine.name if self.row else None

    @property
    def memory_mb(self) -> int:
        return self.row.memory_mb if self.row else self.manifest.memory_mb

    def name(self, names: Names) -> str:
        return names.function(self.manifest.name, self.model)


@dataclass(frozen=True)
class DeclaredJob:
    """A job definition of AWS Batch: a container's, for one model row."""

    manifest: ContainerManifest
    row: ModelRow
    batch: BatchJob
    gpu: bool

    @property
    def memory_mb(self) -> int:
        return max(self.row.memory_mb, self.batch.memory_mb)

    @property
    def machines(self) -> JobMachines:
        return "gpu" if self.gpu else "cpu"

    def name(self, names: Names) -> str:
        return names.job_definition(self.manifest.name, self.row.name)


@dataclass(frozen=True)
class DeclaredOperation:
    """A zipped function, by its name in `resources.toml`."""

    name: str
    operation: Operation
    environment: Mapping[str, str]

    @property
    def handler(self) -> str:
        """Return the dotted path of its handler, in its zip and for the local cloud."""
        return f"pipeline.functions.{self.name.replace('-', '_')}.handler.handler"

    @property
    def placeholder(self) -> str:
        """Return the placeholder of its ARN in a state machine: `ReleaseGateArn`."""
        return f"{pascal_case(self.name)}Arn"

    def function(self, names: Names) -> str:
        return names.operation(self.name, hook=self.operation.hook)


@dataclass(frozen=True)
class Blueprint:
    """Containers, models, machines and resources, as one deployment has them.

    The catalogue's defaults are the deployment's choice, or else what each container declares.
    `on_request` has the prefixes whose uploads start a product on request, by its name. `batch` is
    what the deployment has of AWS Batch: nothing (`off`), machines (`cpu`), some with GPUs (`gpu`).
    A backfill whose input has no `max_concurrency` runs `backfill_concurrency` objects at a time.
    """

    root: Path
    state_machines: Path
    containers: tuple[ContainerManifest, ...]
    catalogue: Catalogue
    resources: Resources
    products: tuple[Product, ...]
    overlays: tuple[Path, ...] = ()
    on_request: Mapping[str, Sequence[str]] = field(default_factory=dict)
    batch: BatchMachines = "off"
    backfill_concurrency: int = BACKFILL_CONCURRENCY

    @classmethod
    def read(
        cls,
        root: Path,
        *,
        defaults: tuple[str, ...] = (),
        overlays: tuple[Path, ...] = (),
        accepted_licences: tuple[str, ...] = (),
        on_request: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> Blueprint:
        """Read and check every declaration. `defaults` are models of different containers."""
        catalogue = load_catalogue(root, overlays, accepted_licences=accepted_licences)
        containers, resources = load_containers(root), load_resources(root)
        products = load_products(root)
        files = (root / "state_machines").glob(f"*{_MACHINE}")
        machines = [path.name.removesuffix(_MACHINE) for path in files]
        require_consistent(containers, catalogue, resources, products, machines)
        require_on_request(on_request, products)
        return cls(
            root=root,
            state_machines=root / "state_machines",
            containers=containers,
            catalogue=catalogue.with_defaults(defaults),
            resources=resources,
            products=products,
            overlays=overlays,
            on_request=on_request,
        )

    def with_batch(self, machines: BatchMachines) -> Blueprint:
        """Return the same deployment with these machines of AWS Batch."""
        return replace(self, batch=machines)

    @property
    def functions(self) -> tuple[DeclaredFunction, ...]:
        """Return one function per container, or one per model row if its manifest says so.

        A row that only AWS Batch can run has none.
        """
        return tuple(
            DeclaredFunction(manifest, row)
            for manifest in self.containers
            for row in (
                self.catalogue.rows_of(manifest.name) if manifest.function_per_model else (None,)
            )
            if row is None or row.compute == "lambda"
        )

    @property
    def jobs(self) -> tuple[DeclaredJob, ...]:
        """Return one job definition per model row that AWS Batch may run; none without it.

        Hosted models have none.
        """
        if self.batch == "off":
            return ()
        return tuple(
            DeclaredJob(manifest, row, manifest.batch, gpu=self._has_gpu(manifest.batch))
            for manifest in self.containers
            if manifest.batch
            for row in self.catalogue.rows_of(manifest.name)
            if not row.hosted
        )

    @property
    def job_machines(self) -> tuple[JobMachines, ...]:
        """Return the kinds of machines that jobs need: those that have queues."""
        return tuple(sorted({job.machines for job in self.jobs}))

    def _has_gpu(self, batch: BatchJob) -> bool:
        return batch.gpu and self.batch == "gpu"

    def functions_with(self, bucket: str) -> tuple[DeclaredFunction, ...]:
        """Return the containers' functions with access to a bucket, or to its vectors."""
        return tuple(
            each
            for each in self.functions
            if bucket in {access.bucket for access in each.manifest.access}
            or bucket in each.manifest.vector_buckets
        )

    def operations(self, names: Names) -> tuple[DeclaredOperation, ...]:
        """Return the zipped functions, with the placeholders in their variables filled in."""
        provided = self.substitutions(names)
        return tuple(
            DeclaredOperation(
                name, each, {key: fill(text, provided) for key, text in each.environment.items()}
            )
            for name, each in self.resources.functions.items()
        )

    def machines(self, names: Names) -> dict[str, str]:
        """Return each machine's definition, placeholders filled in."""
        substitutions = self.substitutions(names)
        return {name: fill(text, substitutions) for name, text in self.definitions.items()}

    def triggers(self, names: Names) -> dict[str, str]:
        """Return the pattern of the events that start each machine that has one.

        A product's is made of all products' routes; any other is written in `*.trigger.json`.
        """
        substitutions = self.substitutions(names)
        return {
            **{
                name: json.dumps(fill_pattern(json.loads(text), substitutions))
                for name, text in self._read(_TRIGGER).items()
            },
            **{
                product.machine: pattern
                for product in self.products
                if (pattern := self._ingest_pattern(product, names))
            },
        }

    def _ingest_pattern(self, product: Product, names: Names) -> str | None:
        prefixes = self.on_request.get(product.name, ())
        return ingest_pattern(product, self.products, names.bucket("ingest"), prefixes=prefixes)

    @property
    def schedules(self) -> dict[str, str]:
        """Return how often each machine with a schedule starts: `15 minutes`."""
        return _rates(self.state_machines)

    @property
    def definitions(self) -> dict[str, str]:
        """Return each machine's definition as it is written, with its `${Placeholders}`."""
        return self._read(_MACHINE)

    @property
    def claiming(self) -> dict[str, str]:
        """Return each machine that claims rows of the jobs table, and the product in its rows.

        In the rows of a machine that is no product's, its own name stands for the product.
        """
        of_products = {product.machine: product.name for product in self.products}
        return {**of_products, **{name: name for name in self.resources.claiming}}

    def invoked(self, machine: str) -> frozenset[str]:
        """Return the containers that a machine invokes, also through machines it starts by name.

        What it hands over to another product's machine is not its own.
        """
        containers = {each.placeholder: each.name for each in self.containers}
        definitions = self.definitions
        machines = {f"{pascal_case(name)}StateMachineArn": name for name in definitions}
        others = {product.machine for product in self.products} - {machine}
        ahead, seen, found = [machine], others, set[str]()
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                used = set(PLACEHOLDER.findall(definitions[name]))
                found |= {containers[each] for each in used & containers.keys()}
                ahead += [machines[each] for each in used & machines.keys()]
        return frozenset(found)

    def substitutions(self, names: Names) -> dict[str, str]:
        """Return every `${Placeholder}` a state machine may use, as CDK's definition substitutions.

        Those of all products list one value for each, in one order, with spaces between them; so do
        those of all machines that claim rows.
        """
        machines = [product.machine for product in self.products]
        claiming = self.claiming
        return {
            **{each.placeholder: names.function_arn(each.name) for each in self.containers},
            **{f"{pascal_case(each.name)}JobQueue":
                   names.job_queue("gpu" if self._has_gpu(each.batch) else "cpu", "{}")
               for each in self.containers if each.batch},
            **{f"{pascal_case(container)}DefaultModel": model
               for container, model in self.catalogue.defaults.items()},
            **{f"{pascal_case(name)}StateMachineArn": names.machine_arn(name)
               for name in self.definitions},
            **{f"{pascal_case(name)}Bucket": names.bucket(name) for name in self.resources.buckets},
            **{f"{pascal_case(name)}VectorBucket": names.vector_bucket(name)
               for name in self.resources.vector_buckets},
            **{f"{pascal_case(name)}Table": names.table(name) for name in self.resources.tables},
            **{f"{pascal_case(name)}Arn": names.operation_arn(name, hook=each.hook)
               for name, each in self.resources.functions.items()},
            "ProductNames": " ".join(product.name for product in self.products),
            "ProductMachines": " ".join(machines),
            "ProductStateMachineUnqualifiedArns":
                " ".join(map(names.unqualified_machine_arn, machines)),
            "ClaimingProducts": " ".join(claiming.values()),
            "ClaimingMachines": " ".join(claiming),
            "ClaimingStateMachineNames": " ".join(map(names.machine, claiming)),
            "ClaimingStateMachineUnqualifiedArns":
                " ".join(map(names.unqualified_machine_arn, claiming)),
            "ProductStateMachineArnTemplate": names.machine_arn("{}"),
            "Batch": self.batch,
            "BackfillConcurrency": str(self.backfill_concurrency),
            "JobDefinitionPrefix": f"{names.prefix}-",
            "ExecutionArnPrefix": names.execution_arn_prefix,
            "FunctionPrefix": f"{names.prefix}-",
            "RepositoryPrefix": names.repository(""),
            "BuildProjectPrefix": names.build_project(""),
            "FunctionStackPrefix": names.function_stack(""),
            "DeployRoleArnPrefix": names.deploy_role_arn(""),
            "MetricNamespace": names.metric_namespace(),
            "ReleaseAlarmArnPrefix": names.release_alarm_arn(""),
            "ProvenanceKey": names.provenance_key,
            "WebhookSecretPrefix": names.webhook_secret(""),
            "Stage": names.stage,
            "ExecutionPage": names.execution_page,
        }  # fmt: skip

    def _read(self, suffix: str) -> dict[str, str]:
        return _texts(self.state_machines, suffix)


def read_schedules(root: Path) -> dict[str, str]:
    """Return how often each machine with a schedule starts: `15 minutes`."""
    return _rates(root / "state_machines")


def _rates(folder: Path) -> dict[str, str]:
    texts = _texts(folder, _SCHEDULE)
    return {name: json.loads(text)["rate"] for name, text in texts.items()}


def _texts(folder: Path, suffix: str) -> dict[str, str]:
    paths = sorted(folder.glob(f"*{suffix}"))
    return {path.name.removesuffix(suffix): path.read_text(encoding="utf-8") for path in paths}
