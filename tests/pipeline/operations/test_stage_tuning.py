"""Tuning on a stage leaves the function, its versions and `live` as they were, however it ends."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from click.testing import CliRunner, Result
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.stepfunctions.models import stepfunctions_backends

from pipeline.cli import tune as cli_tune
from pipeline.cli.interrupts import raise_when_interrupted, undisturbed
from pipeline.cli.models import models
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.names import Names, stage_names
from pipeline.operations import stage_tuning
from pipeline.operations.site import Site
from pipeline.operations.stage_tuning import (
    MARK,
    NotTunable,
    Subject,
    find_subject,
    most_dollars,
    temporary_versions,
    tune,
)
from pipeline.operations.tuning import Size
from tests.conftest import ROOT
from tests.pipeline.operations.deployment import STANDING

ACCOUNT: Final = "123456789012"
NAMES: Final[Names] = stage_names("dev", account=ACCOUNT, region="us-east-1")
ROW: Final = load_catalogue(ROOT).row("u2netp")
FUNCTION: Final = NAMES.function(ROW.container, ROW.name)
GOLDEN: Final = ROOT / "containers" / "background_remover"
PRESENT_MB: Final = 2048
LOADER: Final = create_loader()  # of AWS's descriptions, which take long to read
ASSUMED: Final = {"Version": "2012-10-17", "Statement": []}


@contextmanager
def interruptible() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    raise_when_interrupted()
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Interrupts:
    """Sends an interrupt after so many calls of an operation, as Ctrl-C would."""

    def __init__(self, site: Site, operation: str, *, after: int) -> None:
        self.left = after
        service = {"Invoke": "lambda", "PublishVersion": "lambda", "DeleteFunction": "lambda"}
        events = site.client(service[operation]).meta.events
        events.register(f"after-call.{service[operation]}.{operation}", self._count)

    def _count(self, **_: Any) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)


class Updates:
    """Makes updates of functions last, as Lambda's do. The first one is interrupted meanwhile."""

    def __init__(self) -> None:
        self.asks_left = 0  # before it is done
        self.interrupted = False

    def watch(self, events: Any) -> None:
        events.register("before-call.lambda.UpdateFunctionConfiguration", self._refuse)
        events.register("after-call.lambda.UpdateFunctionConfiguration", self._begin)
        events.register("after-call.lambda.GetFunction", self._tell)

    def _refuse(self, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if not self.asks_left:
            return None
        error = {"Code": "ResourceConflictException", "Message": "An update is in progress"}
        return SimpleNamespace(status_code=409), {"Error": error, "ResponseMetadata": {}}

    def _begin(self, **_: Any) -> None:
        self.asks_left = 2
        if not self.interrupted:
            self.interrupted = True
            os.kill(os.getpid(), signal.SIGINT)

    def _tell(self, parsed: dict[str, Any], **_: Any) -> None:
        if self.asks_left:
            self.asks_left -= 1
            parsed["Configuration"]["LastUpdateStatus"] = "InProgress"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A stage with the released function of u2netp."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    with mock_aws(config={"lambda": {"use_docker": False}, **STANDING}):
        session = boto3.Session("key", "secret", region_name=NAMES.region)
        session._session.register_component("data_loader", LOADER)
        site = Site(NAMES, session, ())
        role = site.client("iam").create_role(
            RoleName=FUNCTION, AssumeRolePolicyDocument=json.dumps(ASSUMED)
        )["Role"]["Arn"]
        functions = site.client("lambda")
        functions.create_function(
            FunctionName=FUNCTION, Runtime="python3.13", Handler="a.b", Role=role,
            Code={"ZipFile": zipped()}, MemorySize=PRESENT_MB, Timeout=60,
        )  # fmt: skip
        functions.publish_version(FunctionName=FUNCTION, Description="sha256:0 v0.1.0")
        functions.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")
        functions.meta.events.register("after-call.lambda.Invoke", report)
        site.client("s3").create_bucket(Bucket=NAMES.bucket("work"))
        site.client("stepfunctions").create_state_machine(
            name=NAMES.machine("release-container"), roleArn=role,
            definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Succeed"}}}),
        )  # fmt: skip
        template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        site.client("cloudformation").create_stack(
            StackName=NAMES.function_stack(ROW.container), TemplateBody=json.dumps(template)
        )
        yield site


@pytest.fixture
def subject(site: Site) -> Subject:
    return find_subject(site, ROW)


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.py", "")
    return content.getvalue()


def report(parsed: dict[str, Any], **_: Any) -> None:
    """Add the line that Lambda logs: moto logs none."""
    line = (
        "REPORT RequestId: 1\tDuration: 812.50 ms\tBilled Duration: 813 ms\tMemory Size: 1024 MB\t"
        "Max Memory Used: 412 MB\tInit Duration: 1250.00 ms\t"
    )
    parsed["LogResult"] = base64.b64encode(line.encode()).decode()


def failing(site: Site, message: str, kind: str) -> None:
    """Have every call end with an error."""

    def fail(parsed: dict[str, Any], **_: Any) -> None:
        parsed["FunctionError"] = "Unhandled"
        told = {"errorType": kind, "errorMessage": message}
        parsed["Payload"] = io.BytesIO(json.dumps(told).encode())

    site.client("lambda").meta.events.register("after-call.lambda.Invoke", fail)


def state(site: Site) -> tuple[int, list[str], str]:
    """Return the function's memory, its versions, and which one is live."""
    functions = site.client("lambda")
    versions = functions.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    live = functions.get_alias(FunctionName=FUNCTION, Name="live")["FunctionVersion"]
    memory_mb = functions.get_function_configuration(FunctionName=FUNCTION)["MemorySize"]
    return memory_mb, [each["Version"] for each in versions], live


AS_BEFORE: Final = (PRESENT_MB, ["$LATEST", "1"], "1")


def run(
    subject: Subject,
    *sizes: int,
    shield: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> list[Size]:
    return tune(subject, GOLDEN, sizes, repeats=2, on_size=lambda _: None, undisturbed=shield)


def test_each_size_is_a_version_that_is_called_and_deleted(site: Site, subject: Subject) -> None:
    called: list[tuple[str, int]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        version = params["url_path"], params["query_string"]["Qualifier"]
        told = site.client("lambda").get_function_configuration(
            FunctionName=FUNCTION, Qualifier=version[1]
        )
        called.append((version[1], told["MemorySize"]))

    site.client("lambda").meta.events.register("before-call.lambda.Invoke", note)

    tried = run(subject, 1024, 3008)

    assert called == [("2", 1024)] * 3 + [("3", 3008)] * 3
    assert [(size.memory_mb, size.seconds, size.peak_mb) for size in tried] == [
        (1024, 0.8125, 412), (3008, 0.8125, 412),
    ]  # fmt: skip
    assert [size.start_s for size in tried] == [1.25, 1.25]
    assert not any(size.calculated or size.error for size in tried)
    assert state(site) == AS_BEFORE


def test_the_function_has_its_memory_back_before_the_first_call(
    site: Site, subject: Subject
) -> None:
    seen = []

    def note(**_: Any) -> None:
        seen.append(state(site)[0])

    site.client("lambda").meta.events.register("before-call.lambda.Invoke", note)

    run(subject, 1024)

    assert seen == [PRESENT_MB] * 3


def test_every_call_has_a_work_prefix_of_its_own(site: Site, subject: Subject) -> None:
    prefixes = []

    def note(params: dict[str, Any], **_: Any) -> None:
        prefixes.append(json.loads(params["body"])["work_prefix"])

    site.client("lambda").meta.events.register("before-call.lambda.Invoke", note)

    run(subject, 1024)

    assert len(set(prefixes)) == 3
    assert all(each.startswith("smoke/") for each in prefixes), "functions read no other prefix"


def test_a_process_that_lambda_killed_is_out_of_memory(site: Site, subject: Subject) -> None:
    failing(site, "RequestId: 1 Error: Runtime exited with error: signal: killed", "Runtime.X")

    (tried,) = run(subject, 1024)

    assert (tried.error, tried.peak_mb, tried.seconds) == ("OutOfMemory", 412, None)
    assert state(site) == AS_BEFORE


def test_a_size_that_the_account_may_not_have_is_a_result(site: Site, subject: Subject) -> None:
    def refuse(params: dict[str, Any], **_: Any) -> None:
        if json.loads(params["body"]).get("MemorySize") == 10240:
            told: Any = {
                "Error": {"Code": "InvalidParameterValueException", "Message": "at most 3008"}
            }
            raise ClientError(told, "UpdateFunctionConfiguration")

    events = site.client("lambda").meta.events
    events.register("before-call.lambda.UpdateFunctionConfiguration", refuse)

    small, large = run(subject, 1024, 10240)

    assert small.seconds == 0.8125
    assert large.error == "at most 3008"
    assert state(site) == AS_BEFORE


def test_without_weights_the_user_is_told_to_stage_them(site: Site, subject: Subject) -> None:
    failing(site, "they are not staged", "WeightsNotStaged")

    with pytest.raises(NotTunable, match="matteline models stage u2netp --stage dev"):
        run(subject, 1024)
    assert state(site) == AS_BEFORE


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        pytest.param("PublishVersion", 2, id="while-versions-are-published"),
        pytest.param("Invoke", 2, id="while-a-version-is-called"),
        pytest.param("DeleteFunction", 1, id="while-versions-are-deleted"),
    ],
)
def test_an_interrupted_run_leaves_nothing_behind(
    site: Site, subject: Subject, operation: str, after: int
) -> None:
    Interrupts(site, operation, after=after)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        run(subject, 1024, 3008, shield=undisturbed)

    assert state(site) == AS_BEFORE


def test_a_run_that_is_interrupted_while_the_function_changes_gives_its_memory_back(
    site: Site, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stage_tuning._PATIENCE, "Delay", 0)
    Updates().watch(site.client("lambda").meta.events)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        run(subject, 1024, shield=undisturbed)

    assert state(site) == AS_BEFORE


def test_what_a_killed_run_left_is_removed_first(site: Site, subject: Subject) -> None:
    functions = site.client("lambda")
    functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=512)
    functions.publish_version(FunctionName=FUNCTION, Description=MARK)
    assert temporary_versions(site, FUNCTION) == ["2"]

    run(subject, 1024)

    assert state(site) == AS_BEFORE


def test_the_version_that_has_a_size_already_is_called_and_not_deleted(
    site: Site, subject: Subject
) -> None:
    """Lambda publishes nothing if nothing changed: it answers with the last version."""
    (tried,) = run(subject, PRESENT_MB)

    assert tried.seconds == 0.8125
    assert state(site) == AS_BEFORE


def releasing(site: Site, container: str) -> None:
    """Start a release that goes on for ever."""
    states = site.client("stepfunctions")
    arn = site.machine_arn("release-container")
    name = states.start_execution(
        stateMachineArn=arn, name="deploy-1", input=json.dumps({"container": container})
    )["executionArn"]
    stepfunctions_backends[ACCOUNT][NAMES.region].describe_execution(name).status = "RUNNING"


def test_a_container_that_is_being_released_is_not_tuned(site: Site) -> None:
    releasing(site, ROW.container)

    with pytest.raises(NotTunable, match="background-remover is being released"):
        find_subject(site, ROW)


def test_a_release_that_begins_meanwhile_ends_the_tuning(site: Site, subject: Subject) -> None:
    releasing(site, ROW.container)

    with pytest.raises(NotTunable, match="is being released"):
        run(subject, 1024)
    assert state(site) == AS_BEFORE


def test_another_containers_release_does_not_matter(site: Site) -> None:
    releasing(site, "edge-refiner")

    assert find_subject(site, ROW).memory_mb == PRESENT_MB


def test_a_stack_that_changes_is_left_alone(site: Site) -> None:
    backend = cloudformation_backends[ACCOUNT][NAMES.region]
    backend.get_stack(NAMES.function_stack(ROW.container)).status = "UPDATE_IN_PROGRESS"

    with pytest.raises(NotTunable, match="UPDATE_IN_PROGRESS"):
        find_subject(site, ROW)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        pytest.param("u2net", "release background-remover first", id="not-released"),
        pytest.param("sam-vit-b", "without --stage", id="keeps-embeddings"),
    ],
)
def test_a_model_without_a_function_to_call_is_refused(site: Site, model: str, says: str) -> None:
    with pytest.raises(NotTunable, match=says):
        find_subject(site, load_catalogue(ROOT).row(model))


def test_the_most_that_it_costs_is_known_before(subject: Subject) -> None:
    most = most_dollars(subject, [1024, 2048], repeats=999)

    assert most == pytest.approx(1000 * 60 * 3 * 0.0000166667 + 2000 * 0.0000002, abs=0.01)


def command(tmp_path: Path, *options: str, answer: str = "") -> Result:
    words = ["tune", "u2netp", "--stage", "dev", "--memory", "1024,3008", "-o", str(tmp_path)]
    return CliRunner().invoke(models, [*words, *options], input=answer)


def test_the_command_says_the_cost_and_asks_first(site: Site, tmp_path: Path) -> None:
    done = command(tmp_path, answer="n\n")

    assert done.exit_code == 1
    assert done.output.endswith("Aborted!\n")
    assert "8 calls of temporary versions of matteline-dev-background-remover-u2netp" in done.output
    assert "cost at most $0.02" in done.output
    assert state(site) == AS_BEFORE
    assert list(tmp_path.iterdir()) == []


def test_the_command_reports_what_lambda_reported(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_tune, "aws_site", lambda *_: site)

    done = command(tmp_path, "--yes", "--prefer", "cost")

    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "tune-u2netp.json").read_text())
    assert figures["proposed_mb"] == 1024
    assert figures["where"] == "Lambda in us-east-1 (dev)"
    assert {size["peak_mb"] for size in figures["sizes"]} == {412}
    assert "\n  memory_mb = 1024\n" in done.output
    assert state(site) == AS_BEFORE
