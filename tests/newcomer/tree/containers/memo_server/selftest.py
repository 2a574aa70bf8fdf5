"""`python -m containers.memo_server.selftest`: the golden request is answered."""

from __future__ import annotations

from containers.memo_server.handler import handler
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.answer(handler)


if __name__ == "__main__":
    selftest("memo-server", check)
