"""Rules on jobs of AWS Batch: each does what a Lambda task beside it does, where the plan says so.

Of a task `X`, the Choice `XOnBatch?` asks the plan, and the Parallel `XOnBatch` runs the job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.declared.declaration import pascal_case
from pipeline.declared.products import load_products
from tests.contracts.asl import Body, Machine, Scope, State, paths
from tests.contracts.declared import ROOT, Declared, function_name

ON_BATCH: Final = "OnBatch"
_ASKED: Final = "OnBatch?"
_MODEL: Final = ".model"
_OF_FUNCTIONS: Final = frozenset({"Lambda", "Runtime"})
_OUTPUT: Final = {
    "result.$": "$.Output.result",
    "error.$": "$.Output.error",
    "cause.$": "$.Output.cause",
}
_STARTED_BY: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"
_MACHINE: Final = "${RunOnBatchStateMachineArn}"


def jobs_have_a_function_beside_them(machine: Machine, _declared: Declared) -> Iterator[str]:
    for scope in machine.scopes:
        for name in sorted(scope.states):
            if name.endswith(ON_BATCH) and name.removesuffix(ON_BATCH) not in scope.states:
                yield f"{name}: there is no {name.removesuffix(ON_BATCH)} beside it"


def jobs_do_what_their_function_does(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A job gets the same payload, gives the same result, and its errors are caught alike."""
    for _scope, task, parallel in _jobs(machine):
        if _input(task, parallel).get("payload") != task.payload:
            yield f"{parallel.name}: the payload is not that of {task.name}"
        for field in ("ResultPath", "Next", "End"):
            if parallel.body.get(field) != task.body.get(field):
                yield f"{parallel.name}: {field} is not that of {task.name}"
        if parallel.body.get("ResultSelector") != _of_branch(task.body["ResultSelector"]):
            yield f"{parallel.name}: the result is not that of {task.name}"
        if parallel.body.get("Catch") != _of_jobs(task.body.get("Catch")):
            yield f"{parallel.name}: errors are not caught as those of {task.name}"
        if _branch(task, parallel) != _expected(task):
            yield f"{parallel.name}: a branch that does not run one job, or loses its error"


def jobs_run_the_planned_model(machine: Machine, declared: Declared) -> Iterator[str]:
    """A job has the definition of the function's container and model, in the container's queue."""
    for _scope, task, parallel in _jobs(machine):
        container, given = declared.container_of(task), _input(task, parallel)
        if container is None or container.batch is None:
            yield f"{parallel.name}: the container of {task.name} has no batch"
            continue
        wanted = {
            "function.$": f"States.Format('{container.name}-{{}}', {_model(task)})",
            "queue": f"${{{pascal_case(container.name)}JobQueue}}",
            "task": task.name,
            "work_prefix.$": task.payload.get("work_prefix.$"),
            _STARTED_BY: "$$.Execution.Id",
        }
        for name, value in wanted.items():
            if given.get(name) != value:
                yield f"{parallel.name}: {name.removesuffix('.$')!r} is {given.get(name)}"
        if _from_outside(machine, task, str(given.get("lane.$"))) != "$.job.lane":
            yield f"{parallel.name}: 'lane' is not the job's"


def the_plan_says_where_models_run(machine: Machine, _declared: Declared) -> Iterator[str]:
    """No way leads to the task, or to its job, past the Choice that asks the plan."""
    for scope, task, parallel in _jobs(machine):
        asking = f"{task.name}{_ASKED}"
        path = f"{_model(task).removesuffix(_MODEL)}.compute"
        rule = {"Variable": path, "StringEquals": "batch", "Next": parallel.name}
        choice = scope.states[asking].body if asking in scope.states else {}
        if choice.get("Choices") != [rule] or choice.get("Default") != task.name:
            yield f"{asking}: does not ask {path}"
        past = scope.reachable(scope.start, avoiding=(asking,))
        for name in sorted({task.name, parallel.name} & past):
            yield f"{name}: a way leads here past {asking}"


def roles_have_batch_where_their_tasks_have(machine: Machine, declared: Declared) -> Iterator[str]:
    """The product's declaration says of which roles models may be planned on AWS Batch."""
    (product,) = (each for each in load_products(ROOT) if each.machine == _known(machine, declared))
    said = {name for name, role in product.roles.items() if role.batch}
    able = {
        _from_outside(machine, task, _model(task).removesuffix(_MODEL)).removeprefix("$.plan.")
        for _scope, task, _parallel in _jobs(machine)
    }
    for name in sorted(said ^ able):
        yield f"role {name}: batch in the declaration or in {machine.name}, and not in both"
    replaced = {
        (state.body.get("InputPath"), state.body.get("ResultPath")) for state in machine.states
    }
    for name in sorted(said):
        if (f"$.plan.{name}.fallback", f"$.plan.{name}") not in replaced:
            yield f"role {name}: its function may be too small, and no way leads to its job"
    start = machine.scopes[0].states[machine.scopes[0].start]
    if start.payload.get("batch") != ("${Batch}" if able else None):
        yield f"{start.name}: 'batch' is {start.payload.get('batch')}"


def _known(machine: Machine, declared: Declared) -> str:
    """A machine that a test made of the first product's is declared as that one is."""
    names = {product.machine for product in load_products(ROOT)}
    return machine.name if machine.name in names else declared.products[0]


def _jobs(machine: Machine) -> Iterator[tuple[Scope, State, State]]:
    """Yield each Lambda task that has a job, with its scope and its Parallel."""
    for scope in machine.scopes:
        for task in scope.states.values():
            parallel = scope.states.get(f"{task.name}{ON_BATCH}")
            if task.service == "lambda" and parallel is not None:
                yield scope, task, parallel


def _model(task: State) -> str:
    """The path of the model in the name of a task's function."""
    return next(iter(paths(function_name(task))), "")


def _branch(task: State, parallel: State) -> Body:
    """The one branch of a job, with its task's input and retries left out."""
    (branch,) = parallel.body["Branches"]
    states = {name: dict(body) for name, body in branch["States"].items()}
    run = states.get(f"Run{task.name}", {})
    kept = {"Type", "Resource", "ResultSelector", "Next"}
    states[f"Run{task.name}"] = {name: run[name] for name in sorted(kept & run.keys())}
    return {"StartAt": branch["StartAt"], "States": states, "Machine": _machine(run)}


def _machine(run: Body) -> object:
    return run.get("Parameters", {}).get("StateMachineArn")


def _expected(task: State) -> Body:
    run, ran, done, failed = (
        spelt.format(task.name) for spelt in ("Run{}", "{}Ran?", "{}Done", "{}Failed")
    )
    return {
        "StartAt": run,
        "States": {
            run: {
                "Next": ran,
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "ResultSelector": _OUTPUT,
                "Type": "Task",
            },
            ran: {
                "Type": "Choice",
                "Choices": [{"Variable": "$.error", "IsNull": True, "Next": done}],
                "Default": failed,
            },
            done: {"Type": "Succeed"},
            failed: {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"},
        },
        "Machine": _MACHINE,
    }


def _input(task: State, parallel: State) -> Body:
    (branch,) = parallel.body["Branches"]
    run = branch["States"].get(f"Run{task.name}", {})
    given: Body = run.get("Parameters", {}).get("Input", {})
    return given


def _of_branch(selector: Body) -> Body:
    """A ResultSelector as a Parallel has it, whose result lists those of its branches."""
    return {
        name: str(path).replace("$.Payload.", "$[0].result.", 1) for name, path in selector.items()
    }


def _of_jobs(catchers: Any) -> Any:
    """What a Lambda task catches, without the names that only a function's end has."""
    if catchers is None:
        return None
    return [
        {
            **catcher,
            "ErrorEquals": [
                name
                for name in catcher["ErrorEquals"]
                if name.partition(".")[0] not in _OF_FUNCTIONS
            ],
        }
        for catcher in catchers
    ]


def _from_outside(machine: Machine, task: State, path: str) -> str:
    """Return a path inside a Map as its ItemSelector takes it from outside."""
    for around in machine.enclosing(task):
        selector: Mapping[str, str] = around.body.get("ItemSelector", {})
        path = selector.get(f"{path.removeprefix('$.')}.$", path)
    return path


OF_PRODUCTS: Final = (
    jobs_have_a_function_beside_them,
    jobs_do_what_their_function_does,
    jobs_run_the_planned_model,
    the_plan_says_where_models_run,
    roles_have_batch_where_their_tasks_have,
)
