"""What AWS Batch starts, and when it starts it again: the same on AWS and on the local cloud."""

from typing import Final, Literal, NamedTuple

# The image's entry point is `python -m`: AWS Batch can replace only the command.
COMMAND: Final = ("pipeline.batch_job", "Ref::job", "Ref::outcome")
ATTEMPTS: Final = 3


class ExitRule(NamedTuple):
    """The action after an attempt whose end matches every given pattern; `*` may end a pattern."""

    action: Literal["RETRY", "EXIT"]
    on_status_reason: str | None = None
    on_reason: str | None = None
    on_exit_code: str | None = None

    @property
    def patterns(self) -> dict[str, str]:
        """Return the given patterns, by the part of the end that they are compared with."""
        return {name: text for name, text in self._asdict().items() if text and name != "action"}


# The first rule that matches decides. A job starts again if Spot took its machine back, or after
# exit code 1, which means an error that may pass (`pipeline.batch_job`). No other job does.
EXIT_RULES: Final = (
    ExitRule("RETRY", on_status_reason="Host EC2*"),
    ExitRule("EXIT", on_reason="OutOfMemoryError*"),
    ExitRule("EXIT", on_exit_code="137"),  # killed, as by the kernel for its memory
    ExitRule("RETRY", on_exit_code="1"),
    ExitRule("EXIT", on_reason="*"),
)
