"""`python -m containers.model_downloader.sessions TRIAL`: run a network once for every line.

Each line of the standard input is answered with the `RunFigures` of one run. The process ends with
its standard input, so it never outlives its caller.
"""

from __future__ import annotations

import resource
import sys

import onnxruntime as ort

from containers.model_downloader.optimisation.pictures import inputs
from containers.model_downloader.sessions.trial import Trial
from pipeline.hardware import peak_mb
from pipeline.weights.onnx_session import set_up
from pipeline.weights.staged import RunFigures


def main(told: str) -> None:
    trial = Trial.model_validate_json(told)
    limit = trial.limit_mb * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    options = ort.SessionOptions()
    options.log_severity_level = 4
    set_up(options, memory=trial.memory, threads=trial.threads, optimised=trial.optimised)
    session = ort.InferenceSession(trial.network, options, providers=["CPUExecutionProvider"])
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    photo, *_ = inputs(trial.shape) or sys.exit("its input is not an image")
    for _line in sys.stdin:
        before = _cpu_ms()
        session.run([target], {source: photo})
        figures = RunFigures(cpu_ms=_cpu_ms() - before, peak_mb=peak_mb())
        sys.stdout.write(f"{figures.model_dump_json()}\n")
        sys.stdout.flush()


def _cpu_ms() -> float:
    """Return the processor time of all threads: a busy machine does not change it much."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
