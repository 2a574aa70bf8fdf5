"""A running cloud under faults: drops media, waits for calm, takes stock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local import cloud as cloud_module
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.local.worker import Function
from pipeline.operations.auditing import Audit, audit
from pipeline.operations.repairing import repair
from pipeline.operations.site import Site, local_site
from tests.calm import wait_for_calm
from tests.conftest import ROOT
from tests.faces.stubs.functions import with_stubs as with_face_stubs
from tests.faults.injector import Injector, Spot
from tests.faults.kinds import KILLED
from tests.faults.plan import ON_BATCH, PHOTOS, RECORDINGS, Case, Place
from tests.faults.runs import runs
from tests.hasty import hasty
from tests.models import Shelf
from tests.transcripts.stubs.functions import with_stubs

PATIENCE_S: Final = 480  # jobs of AWS Batch run one after another
TRIES: Final = 3
MOST_RUNNING: Final = 12  # most of them wait to try again
_NO_PATIENCE: Final = timedelta(0)
# Windows of a recording are not named after it: their stubs die of what it says.
_DIES_IN: Final = {
    "media-inspector": (("cutout", "Inspect"), ("faces", "Inspect"), ("transcript", "Inspect")),
    "background-remover": (("cutout", "RemoveBackground"), (ON_BATCH, "RunJob")),
    "edge-refiner": (("cutout", "RefineEdges"),),
    "face-analyzer": (("faces", "AnalyzeFaces"),),
    "face-embedder": (("faces", "EmbedFaces"),),
    "model-downloader": (("stage-weights", "StageModel"),),
    "photo-forgetter": (),  # of runs of collections only, as the vector index
    "vector-index": (),
    "audio-reader": (("transcript", "ReadAudio"),),
    "transcript-writer": (("transcript", "WriteTranscript"),),
}


@dataclass(frozen=True)
class Storm:
    cloud: LocalCloud
    injector: Injector
    site: Site
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def plan(self, case: Case) -> Spot:
        """From now on, break what the case breaks; where."""
        subject = case.model if case.place.machine == "stage-weights" else case.key
        spot = Spot(subject, case.place.machine, case.place.state)
        self.injector.plan[spot] = case.kind
        return spot

    def drop(self, key: str, content: bytes, **options: str) -> None:
        metadata = {f"matteline-{name}": text for name, text in options.items()}
        self.cloud.client("s3").put_object(
            Bucket=NAMES.bucket("ingest"), Key=key, Body=content, Metadata=metadata
        )

    def delete(self, key: str) -> None:
        self.cloud.client("s3").delete_object(Bucket=NAMES.bucket("ingest"), Key=key)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """While it lasts, no event of the ingest bucket gets anywhere."""
        events = self.cloud.client("events")
        targets = {}
        for machine in (PHOTOS, RECORDINGS):  # no rule starts faces
            rule = NAMES.machine(machine)
            targets[rule] = events.list_targets_by_rule(Rule=rule)["Targets"]
            events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets[rule]])
        try:
            yield
        finally:
            for rule, removed in targets.items():
                events.put_targets(Rule=rule, Targets=removed)

    def deliver(self, event: Mapping[str, Any], *, machine: str = PHOTOS) -> None:
        """Start an execution as EventBridge does, each time under another name."""
        self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=NAMES.machine_arn(machine), input=json.dumps(event)
        )

    def wait_for_calm(self, *, patience_s: float = PATIENCE_S) -> None:
        wait_for_calm(self.cloud, patience_s=patience_s)

    def take_stock(self) -> Audit:
        return audit(self.site, self.started, patience=_NO_PATIENCE)

    def clear_up(self) -> Audit:
        """What an operator does: `jobs audit --repair`; what was found before it."""
        found = self.take_stock()
        for finding in found.findings:
            repair(self.site, finding)
        self.wait_for_calm()
        return found


@contextmanager
def storm_over(shelf: Shelf, machines: Path) -> Iterator[Storm]:
    """A local cloud whose every call can be broken."""
    blueprint = Blueprint.read(
        ROOT, defaults=("brightness",), overlays=(shelf.catalogue,)
    ).with_batch("cpu")
    injector = Injector()
    with (
        _many_at_once(),
        local_cloud(
            hasty(blueprint, machines, most_tries=TRIES),
            weights_mirror=shelf.mirror,
            adjust=_mortal,
            wrap=injector.wrap,
        ) as cloud,
    ):
        cloud.host.warm(warm_functions(blueprint))
        injector.stop_with(cloud.client("stepfunctions").stop_execution)
        yield Storm(cloud, injector, local_site(LOCAL_NAMES, cloud.endpoint, blueprint.products))


@contextmanager
def _many_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloud_module, "MOST_RUNNING", MOST_RUNNING)
        yield


def _mortal(function: Function) -> Function:
    """The function, with a handler that dies of the uploads that cases kill it with.

    Tasks of the faces and transcript machines are stubs.
    """
    function = with_face_stubs(with_stubs(function))
    if function.name.endswith("-buggy"):
        return replace(function, handler="tests.execution.handlers.bug")
    for container, places in _DIES_IN.items():
        if function.name.startswith(f"{NAMES.prefix}-{container}"):
            cases = [Case(Place(machine, state, "lambda"), KILLED) for machine, state in places]
            dies_of = [_words(case) for case in cases]
            dies_of += [run.dies_of for run in runs() if run.kind == KILLED]
            told = {
                "MATTELINE_REAL_HANDLER": function.handler,
                "MATTELINE_DIES_OF": " ".join(dies_of),
            }
            environment = {**function.environment, **told}
            return replace(function, handler="tests.faults.dying.handler", environment=environment)
    return function


def _words(case: Case) -> str:
    """What the event of the case's call has, and no other: an upload may be inspected twice."""
    if case.place.machine == "stage-weights":
        return case.model
    return f'{case.key}+"{case.place.machine}"' if case.place.state == "Inspect" else case.key
