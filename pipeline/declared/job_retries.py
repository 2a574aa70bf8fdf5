"""What AWS Batch starts, and when it starts it again: the same on AWS and on the local cloud."""

from typing import Final, Literal, NamedTuple

# Of an image, whose entry point is `python -m`: Batch can replace the command and nothing else.
COMMAND: Final = ("pipeline.batch_job", "Ref::job", "Ref::outcome")
ATTEMPTS: Final = 3


class ExitRule(NamedTuple):
    """What follows an attempt whose end matches every pattern there is; `*` may end a pattern."""

    action: Literal["RETRY", "EXIT"]
    status_reason: str = "*"
    reason: str = "*"
    exit_code: str = "*"


# The first that matches counts. Without one, AWS Batch would try again.
EXIT_RULES: Final = (
    ExitRule("RETRY", status_reason="Host EC2*"),  # a spot machine was taken back
    ExitRule("EXIT", reason="OutOfMemoryError*"),
    ExitRule("RETRY", exit_code="1"),
    ExitRule("EXIT"),
)
