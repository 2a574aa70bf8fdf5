"""Find the local cloud that a run uses: one that is up, else one of the run's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.session.choice import ModelChoice
from pipeline.session.run_messages import RunRequest
from pipeline.session.running_cloud import RunningCloud, Unusable, attached, find_clouds

Say = Callable[[str], None]


@contextmanager
def cloud_for_run(
    root: Path, choice: ModelChoice, request: RunRequest, *, say: Say, calls_at_once: int
) -> Iterator[RunningCloud]:
    """Use the cloud of a `matteline up` that suits the command, else start one; report the models.

    In a cloud of the command's own, `calls_at_once` calls of a function share this machine's cores.
    Raises what `session` raises.
    """
    with ExitStack() as stack:
        cloud = _one_that_is_up(stack, request, say=say)
        if cloud:
            say(f"Cloud: {cloud.greeting.endpoint}, of `matteline up`")
            for model in cloud.models.models or ():
                say(f"Model: {model}")
        else:
            # Imported late: moto and boto3 take seconds to load.
            from pipeline.session.session import session

            own = stack.enter_context(
                session(root, choice, request, say=say, calls_at_once=calls_at_once)
            )
            cloud = stack.enter_context(attached(own.cloud.server.port, request))
        yield cloud


def _one_that_is_up(stack: ExitStack, request: RunRequest, *, say: Say) -> RunningCloud | None:
    """Return the latest cloud that the run can use; if there are others only, say why."""
    why = ""
    for address in find_clouds():
        try:
            return stack.enter_context(attached(address, request))
        except Unusable as unusable:
            why = why or str(unusable)
    if why:
        say(f"Starting a local cloud of its own: {why}.")
    return None
