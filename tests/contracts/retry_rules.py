"""Rules on what is retried, how patiently, and whether anything raises it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tests.contracts.asl import Body, Machine, State, placeholders
from tests.contracts.catch_rules import OUT_OF_CAPACITY, WILDCARDS
from tests.contracts.declared import Declared
from tests.contracts.roles import Role

THROTTLES: Final = frozenset(
    {
        "Lambda.TooManyRequestsException",
        "Lambda.ResourceNotReadyException",
        "Lambda.CodeArtifactUserPendingException",
    }
)
LAMBDA_FAULTS: Final = frozenset(
    {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
    }
)
DYNAMODB_FAULTS: Final = frozenset(
    {
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.ThrottlingException",
        "DynamoDB.RequestLimitExceeded",
        "DynamoDB.RequestLimitExceededException",
        "DynamoDB.InternalServerErrorException",
        "DynamoDB.AmazonDynamoDBException",
        "DynamoDB.SdkClientException",
    }
)
# The same, as the SDK integration spells them.
DYNAMODB_SDK_FAULTS: Final = frozenset(
    {
        "DynamoDb.ProvisionedThroughputExceededException",
        "DynamoDb.ThrottlingException",
        "DynamoDb.RequestLimitExceededException",
        "DynamoDb.InternalServerErrorException",
        "DynamoDb.DynamoDbException",
        "DynamoDb.SdkClientException",
    }
)
_JOB: Final = "run-on-batch"  # whose answer names a job that took too long as a function that did
_OWNERS: Final = {
    "lambda": {"Lambda", "Runtime", "Sandbox", "States"},
    "dynamodb": {"DynamoDB", "States"},
    "aws-sdk:dynamodb": {"DynamoDb", "States"},
    "aws-sdk:s3": {"S3", "States"},
    "aws-sdk:sfn": {"Sfn", "States"},
    "states": {"StepFunctions", "States"},
    "events": {"EventBridge", "States"},
    "batch": {"Batch", "States"},
    _JOB: {"Sandbox"},
    "aws-sdk:ecr": {"Ecr", "States"},
    "aws-sdk:cloudformation": {"CloudFormation", "States"},
}


class Patience(NamedTuple):
    """How often, how fast and how long something is tried again."""

    interval_s: float
    rate: float
    tries: int
    cap_s: float

    @classmethod
    def of(cls, retrier: Body) -> Patience:
        names = ("IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds")
        interval_s, rate, tries, cap_s = (retrier.get(name, -1) for name in names)
        return cls(interval_s, rate, tries, cap_s)

    def __str__(self) -> str:
        return f"{self.interval_s:g} s ×{self.rate:g}, {self.tries:g} tries, cap {self.cap_s:g} s"


ON_THROTTLE: Final = Patience(2, 2, 12, 120)
ON_FAULT: Final = Patience(2, 2, 6, 60)
ON_DYNAMODB: Final = Patience(1, 2, 6, 20)

# Waiting for weights that another execution stages costs nothing, and has to outlast a claim whose
# holder died: 16 minutes.
CLAIMED: Final = "WeightsClaimed"
ON_CLAIM: Final = Patience(1, 1.5, 90, 30)
# Others change the collection: whoever waits long enough has a turn, also after a mass deletion.
BUSY: Final = "CollectionBusy"
# A receiver that is down for a day gets every message.
ON_RECEIVER: Final = Patience(10, 2, 22, 14_400)


def lambda_is_retried(machine: Machine, declared: Declared) -> Iterator[str]:
    """Throttling for a long time, service and transient errors for a shorter one, nothing else.

    The transient errors are exactly those that the machine's tasks can raise. Of the platform's own
    functions, the one that forgets photos raises some, and the one that sends to receivers:
    whatever keeps it from that is tried again for a day, also that it was killed.
    """
    transient = declared.transient & declared.raised_by(machine)
    of_service = dict.fromkeys(THROTTLES, ON_THROTTLE) | dict.fromkeys(LAMBDA_FAULTS, ON_FAULT)
    patient = {CLAIMED: ON_CLAIM, BUSY: ON_THROTTLE}
    of_ours = {name: patient.get(name, ON_FAULT) for name in transient}
    to_receivers = ((declared.transient | declared.undelivered) & declared.raised_by(machine)) | (
        OUT_OF_CAPACITY
    )
    of_operations = dict.fromkeys(to_receivers, ON_RECEIVER) if _delivers(machine, declared) else {}
    if declared.role_of(machine) in {Role.FORGETTING, Role.COLLECTING}:
        of_operations = of_ours
    for task in machine.lambda_tasks:
        ours = of_operations if declared.operation_of(task) else of_ours
        yield from retries_as_agreed(task, of_service | ours)


def dynamodb_is_retried(machine: Machine, _declared: Declared) -> Iterator[str]:
    faults = {"dynamodb": DYNAMODB_FAULTS, "aws-sdk:dynamodb": DYNAMODB_SDK_FAULTS}
    for task in machine.tasks:
        if task.service in faults:
            yield from retries_as_agreed(task, dict.fromkeys(faults[task.service], ON_DYNAMODB))


def retries_as_agreed(task: State, agreed: Mapping[str, Patience]) -> Iterator[str]:
    """The first retrier that names an error decides, so each error may be named once."""
    actual: dict[str, Patience] = {}
    for retrier in task.retriers:
        for name in retrier["ErrorEquals"]:
            if name in actual:
                yield f"{task.name}: {name} is retried twice"
            actual.setdefault(name, Patience.of(retrier))
    for name in sorted(agreed.keys() - actual.keys()):
        yield f"{task.name}: {name} is not retried"
    for name in sorted(actual.keys() - agreed.keys()):
        yield f"{task.name}: {name} is retried, which was not agreed"
    for name in sorted(agreed.keys() & actual.keys()):
        if agreed[name] != actual[name]:
            yield f"{task.name}: {name} is retried {actual[name]}; agreed is {agreed[name]}"


def every_task_is_retried_politely(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Full jitter, a cap and a last try, in every retrier of every Task."""
    for task in machine.tasks:
        if not task.retriers:
            yield f"{task.name}: a Task that is never retried"
    for state in machine.states:
        for retrier in state.retriers:
            if retrier.get("JitterStrategy") != "FULL":
                yield f"{state.name}: a retrier without full jitter"
            if not {"MaxDelaySeconds", "MaxAttempts", "IntervalSeconds"} <= retrier.keys():
                yield f"{state.name}: a retrier without a first wait, a cap or a last try"


def hopeless_errors_are_not_retried(machine: Machine, declared: Declared) -> Iterator[str]:
    hopeless = declared.permanent | declared.capacity | declared.deployment | declared.weights
    hopeless |= declared.undeliverable
    # What is sent is small: a function that sends it was killed by something else.
    killed = frozenset() if _delivers(machine, declared) else OUT_OF_CAPACITY
    for state in machine.states:
        for name in sorted(state.retried & (hopeless | killed | WILDCARDS)):
            yield f"{state.name}: retries {name}"


def error_names_exist(machine: Machine, declared: Declared) -> Iterator[str]:
    """A name without a dot is ours; one with a dot belongs to the service that is called.

    Ours are names that the machine's own tasks can raise. A Map calls the services of the tasks
    inside it.
    """
    raised = declared.errors & declared.raised_by(machine)
    for state in machine.states:
        for name in sorted(state.retried | state.caught):
            owner, dot, _ = name.partition(".")
            if not dot and name not in raised:
                yield f"{state.name}: no task of {machine.name} raises {name}"
            if not dot and state.type == "Task" and state.service != "lambda":
                yield f"{state.name}: {state.service} does not raise {name}"
            if dot and owner not in _owners(machine, state):
                yield f"{state.name}: {state.service or state.type} does not raise {name}"


def _delivers(machine: Machine, declared: Declared) -> bool:
    return declared.role_of(machine) is Role.DELIVERING


def _owners(machine: Machine, state: State) -> frozenset[str]:
    inside = [
        task.service
        for task in machine.tasks
        if state.name in {each.name for each in machine.enclosing(task)}
    ]
    if "RunOnBatchStateMachineArn" in placeholders(state.body):
        inside.append(_JOB)
    found = (_OWNERS.get(service, {"States"}) for service in (state.service, *inside))
    return frozenset().union(*found)


RULES: Final = (
    lambda_is_retried,
    dynamodb_is_retried,
    every_task_is_retried_politely,
    hopeless_errors_are_not_retried,
    error_names_exist,
)
