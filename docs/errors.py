"""Writes `docs/errors.md` from the errors in code; run by `make docs`, compared by a test."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import Final

from containers.http_api.errors import RequestError
from containers.http_api.failures import ActionFailed, BatchFailure
from pipeline.errors import (
    CapacityError,
    DeploymentError,
    HandedOver,
    NamedError,
    PermanentError,
    TransientError,
    WeightsClaimed,
    WeightsError,
    WeightsNotStaged,
    leaves,
)
from pipeline.outcomes import JobFailure

PAGE: Final = Path(__file__).with_suffix(".md")
_WIDTH: Final = 100

_INTRODUCTION: Final = """# Errors

Every failure that the platform expects has a name. It is the error of the execution in Step
Functions, and the `error` of the job's row and of `reason.json`. A message says what is wrong, a
hint says what to do. Any other error name is a bug: the execution stays failed.

*Quarantined* means: the execution fails with that name, and
`s3://…-quarantine/<execution name>/reason.json` has the reason, the hint and the command that
starts the input again. If you correct the file, upload it again: the upload starts an execution.

What stops a container's release is in [releasing](releasing.md#what-stops-a-release).
"""

_GROUPS: Final[tuple[tuple[str, str, type[NamedError]], ...]] = (
    (
        "Permanent errors",
        "The same input fails again, so it is quarantined at once and never retried.",
        PermanentError,
    ),
    (
        "Handed over",
        """The execution succeeds, as `HANDED_OVER`: the file has the name of another product's
        media, or its metadata asks for another product. The execution has started that product's
        state machine with the same input, under the same name, and writes no row. Options are
        checked there.""",
        HandedOver,
    ),
    (
        "Capacity errors",
        """The function is too small for this input. If the options allow a fallback, a lighter
        model takes over; otherwise the job is recorded as failed. `Lambda.Unknown`,
        `Runtime.ExitError`, `Runtime.OutOfMemory`, `Sandbox.Timedout` and `States.Timeout`, which
        AWS reports when a process ends early, are treated the same.""",
        CapacityError,
    ),
    (
        "Transient errors",
        """The same input may succeed later. The state is retried with jitter. If the error
        persists, the execution stays failed until you [redrive](operating.md) it.""",
        TransientError,
    ),
    (
        "Errors of the deployment",
        """Neither the media nor the model is at fault. The state is not retried, and the execution
        stays failed until an operator has corrected the deployment and [redrives](operating.md)
        it.""",
        DeploymentError,
    ),
    (
        "Errors of a model's weights",
        "The model, not the media, is at fault. The execution stays failed until an operator acts.",
        WeightsError,
    ),
    (
        "Errors of requests to the HTTP API",
        """No execution has these errors. The [API](api.md#errors) answers with them, and with the
        errors above.""",
        RequestError,
    ),
    (
        "Failures of jobs, as the HTTP API tells them",
        """Beside the errors above, a [job](api.md#follow-a-job) has one of these. What else an
        execution failed with is known to operators only.""",
        JobFailure,
    ),
    (
        "Failures of batches, as the HTTP API tells them",
        "A [batch](api.md#process-many-files) that could not process all objects has one of these.",
        BatchFailure,
    ),
    (
        "Failures of actions, as the HTTP API tells them",
        """Beside the errors above, an [action](api.md#collections) of a collection has this one.
        What else an execution failed with is known to operators only.""",
        ActionFailed,
    ),
)

# What happens where it differs from the group's rule.
_EXCEPTIONS: Final = {
    WeightsClaimed.__name__: "The execution retries until the weights are staged.",
    WeightsNotStaged.__name__: "The weights are staged once, and the task runs again.",
}


def render() -> str:
    """Return the page: a section for each group, and in it a heading for each error."""
    parts = [_INTRODUCTION]
    for title, rule, base in _GROUPS:
        parts.append(
            f"## {title}\n\n{fill(' '.join(rule.split()), _WIDTH, break_on_hyphens=False)}\n"
        )
        parts += [_section(error) for _, error in sorted(leaves(base).items())]
    return "\n".join(parts)


def _section(error: type[NamedError]) -> str:
    name = error.__name__
    meaning = " ".join((error.__doc__ or "").split())
    status = f"Status {int(error.status)}." if issubclass(error, RequestError) else ""
    told = [meaning, _EXCEPTIONS.get(name, status), f"**What to do:** {error.hint}"]
    lines = [fill(text, _WIDTH, break_on_hyphens=False) for text in told if text]
    return f"### {name}\n\n" + "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")
