"""What manifests, contracts and errors declare: the side a state machine is held against."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline import contracts
from pipeline.contracts.contract import (
    Contract,
    Inspected,
    Job,
    Result,
    read_product_contract,
)
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.models import ModelRow
from pipeline.errors import (
    CapacityError,
    DeploymentError,
    HandedOver,
    PermanentError,
    TransientError,
    WeightsError,
    leaf_names,
)
from pipeline.golden import Row
from pipeline.local.deployment import NAMES
from pipeline.releases import errors as release_errors
from pipeline.releases.errors import ReleaseError
from pipeline.releases.shipping import import_closure
from pipeline.webhooks.errors import DeliveryError, Undeliverable, Undelivered
from tests.contracts.asl import PLACEHOLDER, Machine, State, load_machines
from tests.contracts.operations import Task, operation_task
from tests.contracts.raising import errors_named
from tests.contracts.roles import Role, role_of

C = TypeVar("C", bound=Contract)

ROOT: Final = Path(__file__).parents[2]

# Stands for the machine of whichever product is asked for.
ANY_PRODUCT: Final = "ProductStateMachineArnTemplate"


class OperationTask(NamedTuple):
    """What a function of the platform's own answers by, how long it may take, what it may raise."""

    task: Task
    timeout_s: int
    raised: frozenset[str]


class Signature(NamedTuple):
    """The names a handler.py mentions: `@task(decorated) def handler(job: jobs) -> results`.

    The result of a job has its place among the results. A handler of many jobs names a table:
    `@task(*TASKS)`.
    """

    decorated: tuple[str, ...]
    jobs: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """Everything the rules compare with.

    Containers, operations and timeouts go by their placeholder, hints by their error's name.
    `products` are the machines of all products. `raised` has the errors that each container may
    raise, by its placeholder.
    """

    substitutions: Mapping[str, str]
    containers: Mapping[str, ContainerManifest]
    tasks: Mapping[str, Task]
    operations: Mapping[str, OperationTask]
    release_hints: Mapping[str, str]
    machine_timeouts: Mapping[str, int]
    products: tuple[str, ...]
    raised: Mapping[str, frozenset[str]]
    permanent: frozenset[str]
    capacity: frozenset[str]
    transient: frozenset[str]
    deployment: frozenset[str]
    weights: frozenset[str]
    undelivered: frozenset[str]
    undeliverable: frozenset[str]
    handed_over: frozenset[str]

    @property
    def errors(self) -> frozenset[str]:
        of_jobs = self.permanent | self.capacity | self.transient | self.deployment | self.weights
        return of_jobs | self.handed_over | self.undelivered | self.undeliverable

    def role_of(self, machine: Machine) -> Role:
        return role_of(machine.name, self.products)

    def raised_by(self, machine: Machine) -> frozenset[str]:
        """Return the errors that the machine's tasks may raise."""
        containers = (self.container_of(task) for task in machine.lambda_tasks)
        operations = (self.operation_of(task) for task in machine.lambda_tasks)
        return frozenset().union(
            *(self.raised[each.placeholder] for each in containers if each is not None),
            *(each.raised for each in operations if each is not None),
        )

    def container_of(self, state: State) -> ContainerManifest | None:
        """The container a Lambda task invokes, by the placeholder in its FunctionName."""
        names = PLACEHOLDER.findall(function_name(state))
        return self.containers.get(names[0]) if len(names) == 1 else None

    def operation_of(self, state: State) -> OperationTask | None:
        """The function of the platform's own that a Lambda task invokes, likewise."""
        names = PLACEHOLDER.findall(function_name(state))
        return self.operations.get(names[0]) if len(names) == 1 else None

    def task_of(self, state: State) -> Task | None:
        container, operation = self.container_of(state), self.operation_of(state)
        if operation:
            return operation.task
        task = self.tasks.get(_job_of(container, state)) if container else None
        return _of_product(task, state) if task and task.result is Inspected else task

    def timeout_of(self, state: State) -> int:
        """How long the function itself may take, in seconds; 0 if nobody knows it."""
        function = self.operation_of(state) or self.container_of(state)
        return function.timeout_s if function else 0


def read_declared(root: Path = ROOT) -> Declared:
    blueprint = Blueprint.read(root)
    products = tuple(product.machine for product in blueprint.products)
    machines = load_machines(blueprint.state_machines)
    return Declared(
        substitutions=blueprint.substitutions(NAMES),
        containers={row.placeholder: row for row in blueprint.containers},
        tasks={
            job: task for row in blueprint.containers if row.job for job, task in _tasks(root, row)
        },
        operations=_invoked_operations(root, blueprint),
        release_hints={
            name: getattr(release_errors, name).hint for name in leaf_names(ReleaseError)
        },
        machine_timeouts={
            **machine_timeouts(machines),
            ANY_PRODUCT: max(
                each.definition.get("TimeoutSeconds", 0)
                for each in machines
                if each.name in products
            ),
        },
        products=products,
        raised={row.placeholder: _raised(root, row) for row in blueprint.containers},
        permanent=leaf_names(PermanentError),
        capacity=leaf_names(CapacityError),
        transient=leaf_names(TransientError),
        deployment=leaf_names(DeploymentError),
        weights=leaf_names(WeightsError),
        undelivered=leaf_names(Undelivered),
        undeliverable=leaf_names(Undeliverable),
        handed_over=leaf_names(HandedOver),
    )


def _invoked_operations(root: Path, blueprint: Blueprint) -> dict[str, OperationTask]:
    """Those that a machine invokes: only they have a job and a result."""
    errors = leaf_names() | leaf_names(DeliveryError)
    named = {name for text in blueprint.definitions.values() for name in PLACEHOLDER.findall(text)}
    return {
        each.placeholder: OperationTask(
            operation_task(each.name),
            each.operation.timeout_s,
            errors_named(import_closure(root, [each.handler.removesuffix(".handler")]), errors),
        )
        for each in blueprint.operations(NAMES)
        if each.placeholder in named
    }


def facts_of(row: ModelRow | None) -> Row | None:
    """What golden events may refer to of a model row."""
    if row is None:
        return None
    return Row(row.name, row.engine.name, None if row.hosted else row.weights_key)


def _raised(root: Path, container: ContainerManifest) -> frozenset[str]:
    entries = [container.handler.removesuffix(".handler")]
    return errors_named(import_closure(root, entries), leaf_names())


def machine_timeouts(machines: tuple[Machine, ...]) -> dict[str, int]:
    return {
        f"{pascal_case(machine.name)}StateMachineArn": machine.definition.get("TimeoutSeconds", 0)
        for machine in machines
    }


def function_name(state: State) -> str:
    parameters = state.parameters
    return str(parameters.get("FunctionName") or parameters.get("FunctionName.$") or "")


def decorator_of(handler: Path) -> str:
    """The one decorator of a handler's only function, as it is written."""
    return ast.unparse(_decorated(handler)[1])


def _decorated(handler: Path) -> tuple[ast.FunctionDef, ast.expr]:
    tree = ast.parse(handler.read_text(encoding="utf-8"))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    (decorator,) = function.decorator_list
    return function, decorator


def read_signature(handler: Path) -> Signature:
    """The contract a handler signs, read without importing it."""
    function, decorator = _decorated(handler)
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "task":
        raise TypeError(f"{handler}: the handler is not decorated with @task(...)")
    if decorator.args and isinstance(decorator.args[0], ast.Starred):
        return _tabled(handler.parent / "tasks.py")
    return Signature(
        decorated=tuple(map(ast.unparse, decorator.args)),
        jobs=_named(function.args.args[0].annotation),
        results=_named(function.returns),
    )


def _tabled(tasks: Path) -> Signature:
    """The jobs of the table in `tasks.py`, and what their functions return."""
    tree = ast.parse(tasks.read_text(encoding="utf-8"))
    (table,) = (node.value for node in tree.body if isinstance(node, ast.AnnAssign))
    assert isinstance(table, ast.Dict)
    modules = {
        alias.name: tasks.parents[2] / f"{str(node.module).replace('.', '/')}.py"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    jobs = tuple(ast.unparse(key) for key in table.keys if key)
    names = [ast.unparse(value) for value in table.values]
    return Signature(jobs, jobs, tuple(_returned(modules[name], name) for name in names))


def _returned(module: Path, function: str) -> str:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    (found,) = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return ast.unparse(found.returns or ast.Constant(None))


def _named(annotation: ast.expr | None) -> tuple[str, ...]:
    """The names in `InspectMedia | InspectPhoto`."""
    if isinstance(annotation, ast.BinOp):
        return *_named(annotation.left), *_named(annotation.right)
    return (ast.unparse(annotation or ast.Constant(None)),)


def _job_of(container: ContainerManifest, state: State) -> str:
    """The job a state gives a container. One that does several is told by the state's name."""
    return state.name if state.name in container.other_jobs else container.job or ""


def _of_product(task: Task, state: State) -> Task:
    """InspectMedia with the result that the product in the state's payload gets."""
    product = str(state.payload.get("product", "")).replace("-", "_")
    known = any(found.name == product for found in pkgutil.iter_modules(contracts.__path__))
    return Task(task.job, read_product_contract(product).inspected) if known else task


def declared_contracts(base: type[C]) -> dict[str, type[C]]:
    """Every job, or every result, that a module of `pipeline.contracts` defines, by its name."""
    modules = (
        importlib.import_module(f"{contracts.__name__}.{found.name}")
        for found in pkgutil.iter_modules(contracts.__path__)
    )
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }


def wire_fields(contract: type[BaseModel]) -> dict[str, FieldInfo]:
    """A contract's fields by the name they have in JSON."""
    return {field.alias or name: field for name, field in contract.model_fields.items()}


def _tasks(root: Path, container: ContainerManifest) -> Iterator[tuple[str, Task]]:
    """Each job of a container's handler, with its result."""
    signature = read_signature(root / "containers" / container.folder / "handler.py")
    for job, result in zip(signature.jobs, signature.results, strict=True):
        yield job, Task(declared_contracts(Job)[job], declared_contracts(Result)[result])


Rule = Callable[[Machine, Declared], Iterator[str]]
