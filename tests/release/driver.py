"""Push images and run releases on a running cloud, through its public API."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from pipeline.artifacts import Location
from pipeline.contracts.weights import WeightsStaged
from pipeline.declared.catalogue import load_catalogue
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.conftest import ROOT
from tests.release.evidence import Evidence, envelope_of, evidence_of
from tests.release.release_aws import ReleaseAws, Stack

PATIENCE_S = 60
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
EARLIER = {"ImageDigestHex": "00" * 32, "ReleaseVersion": "0.0.1", "TrafficShift": "canary"}
MACHINE = NAMES.machine_arn("release-container")


@dataclass
class Releases:
    cloud: LocalCloud
    aws: ReleaseAws
    listener: str

    def push(self, container: str, version: str, *, evidence: Evidence | None = None) -> str:
        """Push an image with a build's evidence; return its digest."""
        digest = self.push_image(container, version)
        self.put_evidence(container, digest, evidence or evidence_of(container, version, digest))
        return digest

    def push_image(self, container: str, version: str) -> str:
        layer = {"digest": f"{container} {version}"}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": layer, "layers": [layer]}
        digest = f"sha256:{hashlib.sha256(json.dumps(layer).encode()).hexdigest()}"
        self.cloud.client("ecr").put_image(
            repositoryName=NAMES.repository(container),
            imageManifest=json.dumps(manifest),
            imageDigest=digest,
            imageTag=version,
        )
        return digest

    def put_evidence(self, container: str, digest: str, evidence: Evidence) -> None:
        files = {"sbom.cdx.json": evidence.sbom, "selftest.json": evidence.selftest}
        if evidence.statement is not None:
            kms = self.cloud.client("kms")
            envelope = envelope_of(evidence.statement, kms, NAMES.provenance_key)
            files["provenance.json"] = envelope
        for name, content in files.items():
            if content is not None:
                self.put_file(container, digest, name, content)

    def put_file(self, container: str, digest: str, name: str, content: bytes) -> None:
        key = f"releases/{container}/{digest.removeprefix('sha256:')}/{name}"
        self.cloud.client("s3").put_object(Bucket=NAMES.bucket("evidence"), Key=key, Body=content)

    def release(self, container: str, version: str, *, action: str = "deploy") -> Execution:
        return self.run({"container": container, "version": version, "action": action})

    def run(self, execution_input: object) -> Execution:
        """Run an execution and return it once it has ended."""
        return self.wait_for(self.start(execution_input))

    def start(self, execution_input: object) -> str:
        arn: str = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=MACHINE, input=json.dumps(execution_input)
        )["executionArn"]
        return arn

    def wait_for(self, arn: str) -> Execution:
        states = self.cloud.client("stepfunctions")
        deadline = time.monotonic() + PATIENCE_S
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{arn} does not end"
            time.sleep(0.02)
        return describe(states, arn)

    def stack(self, container: str) -> Stack:
        return self.aws.stacks[NAMES.function_stack(container)]

    def release_something_before(self) -> None:
        """Put every stack on an older image, so that its aliases exist and can move."""
        for stack in self.aws.stacks.values():
            stack.parameters = EARLIER

    def stage(self, *models: str) -> None:
        """Stage weights of the repository's own model, or small ones in place of published ones.

        The hook looks where the weights of the shipped row are.
        """
        bucket, shipped = NAMES.bucket("models"), load_catalogue(ROOT)
        for model in models:
            job = {"schema": 1, "model": model, "models_bucket": bucket, "force": False}
            answer = self.cloud.client("lambda").invoke(
                FunctionName=NAMES.function("model-downloader"), Payload=json.dumps(job)
            )
            staged = WeightsStaged.model_validate(json.load(answer["Payload"]))
            source = Location.parse(staged.manifest.uri)
            if source.key != (key := shipped.row(model).weights_key):
                self.cloud.client("s3").copy_object(
                    Bucket=bucket, Key=key, CopySource=f"{source.bucket}/{source.key}"
                )

    def row(self, release_id: str) -> dict[str, str]:
        """Return a row of the releases table as plain strings; empty if there is none."""
        found = self.cloud.client("dynamodb").get_item(
            TableName=NAMES.table("releases"), Key={"release_id": {"S": release_id}}
        )
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def states_of(self, execution: Execution) -> list[str]:
        """Return the names of the states the execution entered, in order."""
        history = self.cloud.client("stepfunctions").get_execution_history(
            executionArn=execution.arn
        )
        kind = "stateEnteredEventDetails"
        return [event[kind]["name"] for event in history["events"] if kind in event]

    def announced(self, execution: Execution) -> list[dict[str, Any]]:
        """Return the events about an execution: kind and detail."""
        sqs, events = self.cloud.client("sqs"), []
        while messages := sqs.receive_message(
            QueueUrl=self.listener, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.listener, ReceiptHandle=message["ReceiptHandle"])
                events.append(json.loads(message["Body"]))
        return [
            {"kind": event["detail-type"], **event["detail"]}
            for event in events
            if event["detail"]["execution"] == execution.arn
        ]

    def read_file(self, container: str, digest: str, name: str) -> dict[str, Any]:
        """Return a file of an image's evidence."""
        key = f"releases/{container}/{digest.removeprefix('sha256:')}/{name}"
        stored = self.cloud.client("s3").get_object(Bucket=NAMES.bucket("evidence"), Key=key)
        content: dict[str, Any] = json.loads(stored["Body"].read())
        return content

    def hold(self, container: str, *, execution: str, until: int) -> None:
        """Claim a container for an execution."""
        row = {
            "release_id": {"S": container},
            "tried": {"S": "0.0.1"},
            "execution": {"S": execution},
            "held_until": {"N": str(until)},
        }
        self.cloud.client("dynamodb").put_item(TableName=NAMES.table("releases"), Item=row)

    def wait_until_held(self, container: str, arn: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.row(container).get("execution") != arn:
            assert time.monotonic() < deadline, f"{arn} does not start"
            time.sleep(0.02)

    def wait_until_live(self, container: str, version: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.row(container).get("live") != version:
            assert time.monotonic() < deadline, f"{container} {version} does not become live"
            time.sleep(0.05)

    def remember(self, container: str, version: str, digest: str) -> None:
        """Record a version as live before."""
        row = {"release_id": {"S": f"{container}@{version}"}, "digest": {"S": digest}}
        self.cloud.client("dynamodb").put_item(TableName=NAMES.table("releases"), Item=row)
