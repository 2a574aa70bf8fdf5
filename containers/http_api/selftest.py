"""`python -m containers.http_api.selftest`: the golden request is answered."""

from __future__ import annotations

from containers.http_api.handler import handler
from pipeline.selftest import Trial, selftest


def check(trial: Trial) -> None:
    trial.answer(handler)


if __name__ == "__main__":
    selftest("http-api", check)
