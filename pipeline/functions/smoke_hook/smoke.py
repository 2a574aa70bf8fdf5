"""Give a new version its golden event before it gets traffic, and report to CodeDeploy."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pipeline.functions.smoke_hook.places import Places
from pipeline.functions.smoke_hook.services import Services, Target
from pipeline.functions.smoke_hook.subject import Subject, subjects
from pipeline.golden import Golden, Run, claimed_version

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = "all-at-once"
_RELEASING: Final = "RELEASING"


@dataclass(frozen=True)
class Verdict:
    """`tried` is False if the version started but could not be asked for a result."""

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
        """Test the version of a deployment. CodeDeploy gets a report in any case.

        Without one, CodeDeploy would wait for an hour.
        """
        deployment = event["DeploymentId"]
        try:
            verdict = self._verdict(self.services.target(deployment), deployment)
        except Exception as error:  # noqa: BLE001 - whatever it is, CodeDeploy waits for a report
            _LOG.exception("the smoke test of %s broke", deployment)
            verdict = Verdict("", "", passed=False, tried=False, said=f"broke: {error!r}")
        self.services.report(event, passed=verdict.passed)
        return verdict

    def _verdict(self, target: Target, deployment: str) -> Verdict:
        known = subjects(self.places.root, function_prefix=self.places.function_prefix)
        subject = known[target.function]
        release = self.services.parameters(f"{self.places.stack_prefix}{subject.container}")
        verdict = (
            _live_before(target)
            if self._is_rollback(subject.container, release)
            else self._tried(target, subject, release["ReleaseVersion"], deployment)
        )
        prefix = f"releases/{subject.container}/{release['ImageDigestHex']}/smoke"
        content = json.dumps(asdict(verdict), indent=2).encode()
        self.services.write(
            self.places.evidence_bucket, f"{prefix}/{target.function}.json", content
        )
        return verdict

    def _is_rollback(self, container: str, release: Mapping[str, str]) -> bool:
        """Return True if the deployment goes back to a version that was live before.

        A stack keeps its parameters, so a later change of settings is all at once, too. That
        configuration was never live, and no release of the container is under way then.
        """
        version = release["ReleaseVersion"]
        current, past = (
            self.services.row(self.places.releases_table, each)
            for each in (container, f"{container}@{version}")
        )
        return (
            release["TrafficShift"] == _AT_ONCE
            and current.get("status") == _RELEASING
            and current.get("tried") == version
            and past.get("digest") == f"sha256:{release['ImageDigestHex']}"
        )

    def _tried(self, target: Target, subject: Subject, version: str, deployment: str) -> Verdict:
        prefix = f"smoke/{deployment}/{target.function}"
        run = Run(self.places.work_bucket, prefix, self.places.models_bucket, subject.row)
        golden = Golden.prepare(subject.folder, run, self.services.write)
        answer = self.services.invoke(target, golden.payload)
        if answer.error:
            return _declined(target, golden, answer.error, answer.message)
        problems = [
            *_wrong_version(answer.result, subject.container, version),
            *(check.problem for check in golden.checks(answer.result, self.services.fetch)),
        ]
        said = "; ".join(filter(None, problems))
        return Verdict(target.function, target.version, passed=not said, tried=True, said=said)


def _live_before(target: Target) -> Verdict:
    """Let an older version pass: a rollback is urgent, and new golden events may not suit it."""
    said = "not tried: it was live before"
    return Verdict(target.function, target.version, passed=True, tried=False, said=said)


def _declined(target: Target, golden: Golden, error: str, message: str) -> Verdict:
    """Judge an error: one that `golden.toml` foresees shows that the version starts and answers."""
    reason = golden.untried.get(error)
    said = f"{error}: {message}" if reason is None else f"started, and not tried: {reason}"
    passed = reason is not None
    return Verdict(target.function, target.version, passed=passed, tried=False, said=said)


def _wrong_version(result: Mapping[str, Any], container: str, version: str) -> list[str]:
    """Check that the version that answers is the one that is being released."""
    claimed = claimed_version(result)
    if claimed == f"{container}/{version}":
        return []
    return [f"it says that it is {claimed.replace('/', ' ')}, not {container} {version}"]
