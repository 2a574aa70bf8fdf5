"""Start the command line, without the user's AWS settings unless a command needs AWS."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from pipeline.cli.interrupts import exit_when_interrupted

_GARBAGE: Final = 20_000  # objects between collections; with Python's 700, a start takes 0.3 s more
AWS_COMMANDS: Final = frozenset(
    {
        *("jobs", "quarantine", "backfill", "containers", "models", "webhooks", "keys", "quotas"),
        *("page", "stage", "transcripts", "collections", "faces find", "doctor", "next", "top"),
    }
)


def main() -> None:
    """Run `matteline` in an isolated environment, or in the user's if the command reaches AWS."""
    exit_when_interrupted()
    gc.set_threshold(_GARBAGE)
    if reaches_aws(sys.argv[1:], os.environ):
        name_region(os.environ)
    else:
        isolate(os.environ)
    # Imported late: botocore reads its settings when moto is imported.
    from pipeline.cli.command import main as run  # noqa: PLC0415

    try:
        run()
    finally:
        gc.freeze()  # else Python looks through every object once more before it exits: 0.7 s


def reaches_aws(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return True if the command operates a stage on AWS and needs the user's AWS settings."""
    from pipeline.declared.names import LOCAL_STAGE  # noqa: PLC0415 - no import before `main`

    command = _command_of(arguments)
    words = " ".join(arguments).replace("--stage=", "--stage ").split(" ")
    following = [after for word, after in pairwise(words) if word == "--stage"]
    stage = [environment.get("MATTELINE_STAGE", LOCAL_STAGE), *following][-1]
    return command in AWS_COMMANDS and "--among" not in arguments and stage != LOCAL_STAGE


def _command_of(arguments: Sequence[str]) -> str:
    """Return the command's word, and the next one if the command is `faces find`."""
    at = next((at for at, word in enumerate(arguments) if not word.startswith("-")), 0)
    both = " ".join(arguments[at : at + 2])
    return both if both in AWS_COMMANDS else " ".join(arguments[at : at + 1])


def isolate(environment: os._Environ[str]) -> None:
    """Remove AWS profiles, endpoints and credentials; connect to this machine without a proxy.

    The local cloud sets its own, and the user's profile would send its calls elsewhere. An endpoint
    stays as MATTELINE_ENDPOINT_URL, for commands that use a running local cloud.
    """
    if endpoint := environment.get("AWS_ENDPOINT_URL"):
        environment.setdefault("MATTELINE_ENDPOINT_URL", endpoint)
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1,localhost"]))


def name_region(environment: os._Environ[str]) -> None:
    """Let AWS_REGION count, as it does for CDK and other clients: boto3 reads another variable."""
    if region := environment.get("AWS_REGION"):
        environment["AWS_DEFAULT_REGION"] = region


if __name__ == "__main__":
    main()
