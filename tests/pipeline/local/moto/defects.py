"""Print, as JSON, which defects moto has in this process, by the patch that mends each.

`test_moto_seams` runs `python -m tests.pipeline.local.moto.defects`, which checks moto as it ships;
with `mended`, moto with our patches.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from botocore.exceptions import ClientError
from moto import backends
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.api import InvalidDefinition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback,
)
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.responses import get_backend

from pipeline.local.moto import compat, shelf
from tests.pipeline.local.moto.growth import growth
from tests.pipeline.local.moto.jobs import job_goes_on
from tests.pipeline.local.moto.machine import PASS, Machine
from tests.pipeline.local.moto.maps import maps
from tests.pipeline.local.moto.races import races
from tests.pipeline.local.moto.vector_defects import vector_defects
from tests.pipeline.local.moto.waste import waste

PUT_JSON = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
    "Parameters": {"Bucket": "photos", "Key": "k", "Body": {"a": 1}},
}
GET_NOTHING = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket": "photos", "Key": "nothing"},
}

NO_JSON = GET_NOTHING | {
    "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets",
    "Parameters": {},
    "ResultSelector": {"read.$": "States.StringToJson('no JSON')"},
}
INSIDE_A_MAP = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "One",
        "States": {"One": NO_JSON | {"End": True}},
    },
}
IN_A_BRANCH = {
    "Type": "Parallel",
    "Branches": [{"StartAt": "Two", "States": {"Two": NO_JSON | {"End": True}}}],
}


PASS_ON = {
    "Type": "Parallel",
    "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "States.Timeout"}}}],
}


def inner_names_are_lost(machine: Machine) -> bool:
    """Return True if an error of Step Functions has another name outside a Map or a Parallel."""
    ends = (
        machine.run(INSIDE_A_MAP, input='{"items": [1]}', name="a"),
        machine.run(IN_A_BRANCH, name="a"),
    )
    return any(end["error"] != "States.IntrinsicFailure" for end in ends)


def ends_are_silent(machine: Machine) -> bool:
    """Return True if an execution ends without an event."""
    events, sqs = machine.client("events"), machine.client("sqs")
    url = sqs.create_queue(QueueName="ends")["QueueUrl"]
    events.put_rule(Name="ends", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(
        Rule="ends", Targets=[{"Id": "ends", "Arn": "arn:aws:sqs:us-east-1:123456789012:ends"}]
    )
    machine.run(PASS, name="a")
    return not sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")


def every_machine_is_parsed(machine: Machine) -> bool:
    """Return True if a broken machine cannot be created, although it is parsed when started."""
    backend = get_backend("123456789012", "us-east-1")
    role = "arn:aws:iam::123456789012:role/r"
    with compat.parsed_when_started():
        try:
            made = backend.create_state_machine("late", "{", role)
        except InvalidDefinition:
            return True
    states = machine.client("stepfunctions")
    try:
        states.start_execution(stateMachineArn=made.arn)
    except ClientError:
        return False
    return True


def ends_are_kept_from_the_process(machine: Machine) -> bool:
    """Return True if this process is not told that an execution ended."""
    told: list[str] = []
    with compat.told_of_ends(lambda ended: told.append(ended.exec_arn)):
        arn = machine.run(PASS, name="b")["executionArn"]
        deadline = time.monotonic() + 1  # it is told after DescribeExecution knows
        while arn not in told and time.monotonic() < deadline:
            time.sleep(0.02)
    return arn not in told


def tasks_sleep_on(machine: Machine) -> bool:
    """Return True if the end of an execution does not wake a task that waits for one."""
    sleeping = threading.Thread(target=state_task_service_callback.time.sleep, args=[20])
    sleeping.daemon = True
    sleeping.start()
    machine.run(PASS, name="c")
    sleeping.join(timeout=2)
    return sleeping.is_alive()


def reasons_are_missing(machine: Machine) -> bool:
    """Return True if the events of an object's creation do not say which call created it."""
    events, sqs, s3 = (machine.client(name) for name in ("events", "sqs", "s3"))
    url = sqs.create_queue(QueueName="reasons")["QueueUrl"]
    events.put_rule(Name="reasons", EventPattern=json.dumps({"detail-type": ["Object Created"]}))
    arn = "arn:aws:sqs:us-east-1:123456789012:reasons"
    events.put_targets(Rule="reasons", Targets=[{"Id": "reasons", "Arn": arn}])
    s3.put_bucket_notification_configuration(
        Bucket="photos", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="photos", Key="a", Body=b"1")
    s3.copy_object(Bucket="photos", Key="b", CopySource="photos/a")
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    reasons = [json.loads(each["Body"])["detail"]["reason"] for each in found]
    return reasons != ["PutObject", "CopyObject"]


def deletions_are_silent(machine: Machine) -> bool:
    """Return True unless each deletion in a versioned bucket is one event, of its own type."""
    events, sqs, s3 = (machine.client(name) for name in ("events", "sqs", "s3"))
    url = sqs.create_queue(QueueName="deleted")["QueueUrl"]
    events.put_rule(Name="deleted", EventPattern=json.dumps({"detail-type": ["Object Deleted"]}))
    arn = "arn:aws:sqs:us-east-1:123456789012:deleted"
    events.put_targets(Rule="deleted", Targets=[{"Id": "deleted", "Arn": arn}])
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="kept", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    first, second = (
        s3.put_object(Bucket="kept", Key="a", Body=body)["VersionId"] for body in (b"1", b"2")
    )
    marker = s3.delete_object(Bucket="kept", Key="a")["VersionId"]
    for version in (first, marker, "unknown"):
        s3.delete_object(Bucket="kept", Key="a", VersionId=version)
    s3.delete_objects(
        Bucket="kept", Delete={"Objects": [{"Key": "a", "VersionId": second}], "Quiet": True}
    )
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    details = [json.loads(each["Body"])["detail"] for each in found]
    told = [
        (each["object"]["version-id"], each["reason"], each.get("deletion-type"))
        for each in details
    ]
    return told != [
        (marker, "DeleteObject", "Delete Marker Created"),
        (first, "DeleteObject", "Permanently Deleted"),
        (marker, "DeleteObject", "Permanently Deleted"),
        (second, "DeleteObject", "Permanently Deleted"),
    ]


def defects(machine: Machine) -> dict[str, bool]:
    machine.client("s3").create_bucket(Bucket="photos")
    parse = execution_worker.AmazonStateLanguageParser.parse
    definition = json.dumps({"StartAt": "S", "States": {"S": PASS | {"End": True}}})
    clients = [boto_client_for("us-east-1", "s3") for _ in range(2)]
    return (
        growth(machine)
        | maps(machine)
        | races(machine)
        | vector_defects(machine)
        | waste(machine)
        | {
            "_announce_ends": ends_are_silent(machine),
            "_parse_when_started": every_machine_is_parsed(machine),
            "_tell_of_ends": ends_are_kept_from_the_process(machine),
            "_wake_waiting_tasks": tasks_sleep_on(machine),
            "_name_reasons": reasons_are_missing(machine),
            "_report_deletions": deletions_are_silent(machine),
            "_shape_sdk_parameters": machine.run(PUT_JSON, name="a")["status"] == "FAILED",
            "_name_service_errors": machine.run(GET_NOTHING, name="a")["error"].startswith("s3."),
            "_name_inner_failures": inner_names_are_lost(machine),
            "_name_what_fail_states_pass_on": machine.run(PASS_ON, name="a")["error"]
            != "States.Timeout",
            "_name_failed_functions": machine.run(NO_JSON, name="a")["error"] == "States.Runtime",
            "_name_unnamed_executions": machine.run(PASS)["executionArn"].endswith(":None"),
            "_reuse_clients": clients[0] is not clients[1],
            "_list_services_once": backends.list_of_moto_modules()
            is not backends.list_of_moto_modules(),
            "_stop_jobs": job_goes_on(),
            "_parse_once": parse(definition) is not parse(definition),
        }
    )


def main() -> None:
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    if sys.argv[1:] == ["mended"]:
        compat.apply()
        shelf.IN_USE_S = 0
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    os.environ["MOTO_PORT"] = str(port)
    sys.stdout.write(json.dumps(defects(Machine(port))))
    server.stop()


if __name__ == "__main__":
    main()
