"""Check an image against the release policy and report all problems at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from pipeline.functions.release_gate import verification
from pipeline.functions.release_gate.contract import ImageJudged, JudgeImage
from pipeline.functions.release_gate.policy import FindingsJudged, Limits, Waiver, judge_findings
from pipeline.functions.release_gate.sources import ScanNotOver, Sources
from pipeline.releases.errors import RejectedByGate
from pipeline.releases.evidence import PROVENANCE, SBOM, SELFTEST

_VERDICT: Final = "verdict.json"


@dataclass(frozen=True)
class Gate:
    """The release policy: `limits` by container, and all waivers, expired ones too."""

    sources: Sources
    limits: Mapping[str, Limits]
    waivers: Sequence[Waiver]

    def judge(self, job: JudgeImage, *, today: date) -> ImageJudged:
        """Return the verdict and store it with the evidence."""
        findings = self._findings(job, today)
        problems = (*findings.problems, *self._unsigned(job), *self._evidence(job))
        document = f"s3://{job.evidence_bucket}/{job.evidence_prefix}/{_VERDICT}"
        verdict = ImageJudged(
            passed=not problems,
            problems=problems,
            waived=findings.waived,
            reason=_reason(job, problems, document),
            document=document,
        )
        content = {**asdict(job), **asdict(verdict), "judged_on": today.isoformat()}
        self.sources.write(job, _VERDICT, json.dumps(content, indent=2).encode())
        return verdict

    def _findings(self, job: JudgeImage, today: date) -> FindingsJudged:
        waivers = [each for each in self.waivers if each.container == job.container]
        try:
            found = self.sources.findings(job)
        except ScanNotOver as error:
            return FindingsJudged((str(error),), ())
        return judge_findings(found, self.limits[job.container], waivers, today=today)

    def _unsigned(self, job: JudgeImage) -> Iterator[str]:
        """Yield signing problems. Lambda verifies no signature, so the gate must."""
        statuses = self.sources.signing_statuses(job)
        if not statuses:
            yield "it is unsigned: ECR has no signing rule for it"
        elif set(statuses) != {"COMPLETE"}:
            yield f"its signing status is {', '.join(sorted(set(statuses)))}"

    def _evidence(self, job: JudgeImage) -> Iterator[str]:
        read = {name: self.sources.read(job, name) for name in verification.FILES}
        files = {name: content for name, content in read.items() if content is not None}
        yield from (f"{name} is missing" for name in verification.FILES if name not in files)
        of = {"container": job.container, "version": job.version}
        if SBOM in files:
            yield from verification.sbom_problems(files[SBOM], **of)
        if SELFTEST in files:
            yield from verification.selftest_problems(files[SELFTEST], **of)
        if PROVENANCE in files:
            yield from self._provenance(job, files.pop(PROVENANCE), files)

    def _provenance(
        self, job: JudgeImage, content: bytes, others: Mapping[str, bytes]
    ) -> Iterator[str]:
        try:
            envelope = verification.read_envelope(content)
        except verification.Unreadable as error:
            yield f"{PROVENANCE} is {error}"
            return
        if not self.sources.is_signed_by(job.signing_key, envelope.signed, envelope.signatures):
            yield f"{PROVENANCE} is not signed by {job.signing_key}"
        yield from verification.statement_problems(
            envelope.statement,
            container=job.container,
            version=job.version,
            digest_hex=job.digest_hex,
        )
        yield from verification.checksum_problems(envelope.statement, others)


def _reason(job: JudgeImage, problems: Sequence[str], document: str) -> str:
    """Return all problems and the hint, of any length; empty if the image passes."""
    if not problems:
        return ""
    listed = "; ".join(problems)
    return f"{job.container} {job.version}: {listed}; see {document}\n{RejectedByGate.hint}"
