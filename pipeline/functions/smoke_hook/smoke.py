"""Gives a new version its golden event before any photo, and tells CodeDeploy what came of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.functions.smoke_hook.answers import problems
from pipeline.functions.smoke_hook.golden import Golden, read_golden
from pipeline.functions.smoke_hook.services import Services, Target
from pipeline.functions.smoke_hook.staging import stage
from pipeline.functions.smoke_hook.subject import Subject, subjects
from pipeline.functions.smoke_hook.way_back import goes_back

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """Where things are in this deployment."""

    root: Path
    function_prefix: str
    stack_prefix: str
    work_bucket: str
    models_bucket: str
    evidence_bucket: str
    releases_table: str

    @classmethod
    def from_environment(cls, root: Path, environment: Mapping[str, str]) -> Places:
        return cls(
            root=root,
            function_prefix=environment["FUNCTION_PREFIX"],
            stack_prefix=environment["FUNCTION_STACK_PREFIX"],
            work_bucket=environment["WORK_BUCKET"],
            models_bucket=environment["MODELS_BUCKET"],
            evidence_bucket=environment["EVIDENCE_BUCKET"],
            releases_table=environment["RELEASES_TABLE"],
        )


@dataclass(frozen=True)
class Verdict:
    """`tried` is false where the version started, and could not be asked for a result."""

    function: str
    version: str
    passed: bool
    tried: bool
    said: str


@dataclass(frozen=True)
class SmokeTest:
    services: Services
    places: Places

    def run(self, event: Mapping[str, str]) -> Verdict:
        """Whatever happens, CodeDeploy is told: without an answer it would wait for an hour."""
        deployment = event["DeploymentId"]
        try:
            verdict = self._verdict(self.services.target(deployment), deployment)
        except Exception as error:  # noqa: BLE001 - whatever it is, an answer is waited for
            _LOG.exception("the smoke test of %s broke", deployment)
            verdict = Verdict("", "", passed=False, tried=False, said=f"broke: {error!r}")
        self.services.report(event, passed=verdict.passed)
        return verdict

    def _verdict(self, target: Target, deployment: str) -> Verdict:
        known = subjects(self.places.root, function_prefix=self.places.function_prefix)
        subject = known[target.function]
        release = self.services.parameters(f"{self.places.stack_prefix}{subject.container}")
        verdict = (
            _known_good(target)
            if self._goes_back(subject.container, release)
            else self._tried(target, subject, release["ReleaseVersion"], deployment)
        )
        prefix = f"releases/{subject.container}/{release['ImageDigestHex']}/smoke"
        content = json.dumps(asdict(verdict), indent=2).encode()
        self.services.write(
            self.places.evidence_bucket, f"{prefix}/{target.function}.json", content
        )
        return verdict

    def _goes_back(self, container: str, release: Mapping[str, str]) -> bool:
        ids = (container, f"{container}@{release['ReleaseVersion']}")
        rows = [self.services.row(self.places.releases_table, each) for each in ids]
        return goes_back(release, *rows)

    def _tried(self, target: Target, subject: Subject, version: str, deployment: str) -> Verdict:
        prefix = f"smoke/{deployment}/{target.function}"
        values = stage(subject, prefix, self.services, self.places)
        golden = read_golden(subject.golden, model=subject.model, values=values)
        answer = self.services.invoke(target, golden.payload)
        if answer.error:
            return _refused(target, golden, answer.error, answer.message)
        said = [
            *_wrong_version(answer.result, subject.container, version),
            *problems(golden, answer.result, self.services.fetch),
        ]
        return Verdict(
            target.function, target.version, passed=not said, tried=True, said="; ".join(said)
        )


def _known_good(target: Target) -> Verdict:
    """An older version is in a hurry, and may know less than what is asked of new ones."""
    said = "not tried: it was live before"
    return Verdict(target.function, target.version, passed=True, tried=False, said=said)


def _refused(target: Target, golden: Golden, error: str, message: str) -> Verdict:
    """A named refusal that the golden event foresees shows that the version starts and answers."""
    because = golden.untried.get(error)
    said = f"{error}: {message}" if because is None else f"started, and not tried: {because}"
    passed = because is not None
    return Verdict(target.function, target.version, passed=passed, tried=False, said=said)


def _wrong_version(result: Mapping[str, Any], container: str, version: str) -> list[str]:
    """The version that answers is the one that is being released."""
    provenance = result.get("provenance") or {}
    claimed = (provenance.get("container"), provenance.get("version"))
    if claimed == (container, version):
        return []
    return [f"it says that it is {claimed[0]} {claimed[1]}, not {container} {version}"]
