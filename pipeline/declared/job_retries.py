"""What AWS Batch starts, and when it starts it again: the same on AWS and on the local cloud."""

from typing import Final, Literal, NamedTuple

# Of an image whose entry point is `python -m`: AWS Batch can replace the command and nothing else.
COMMAND: Final = ("pipeline.batch_job", "Ref::job", "Ref::outcome")
ATTEMPTS: Final = 3


class ExitRule(NamedTuple):
    """What follows an attempt whose end matches every pattern there is; `*` may end a pattern."""

    action: Literal["RETRY", "EXIT"]
    on_status_reason: str | None = None
    on_reason: str | None = None
    on_exit_code: str | None = None

    @property
    def patterns(self) -> dict[str, str]:
        """Return the patterns that there are, by what they are for."""
        return {name: text for name, text in self._asdict().items() if text and name != "action"}


# The first that matches decides. A job whose machine Spot took back starts anew elsewhere, and so
# does one that ends with 1, which may go better then (`pipeline.batch_job`). Nothing else does.
EXIT_RULES: Final = (
    ExitRule("RETRY", on_status_reason="Host EC2*"),
    ExitRule("EXIT", on_reason="OutOfMemoryError*"),
    ExitRule("EXIT", on_exit_code="137"),  # killed, as by the kernel for its memory
    ExitRule("RETRY", on_exit_code="1"),
    ExitRule("EXIT", on_reason="*"),
)
