"""`python -m tests.bench.probe published|returned|kept NETWORK RUNS AT_ONCE`: one network.

Prints, as JSON, what loading and running it took. In a process of its own, because the most
memory a process has held is remembered for as long as it lives.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from containers.background_remover.network import open_network
from containers.model_downloader.optimisation.pictures import inputs
from pipeline.weights.staged import Memory

Run = Callable[[npt.NDArray[np.float32]], object]


def main() -> None:
    kind, network, runs, at_once = sys.argv[1:]
    started = time.perf_counter()
    run, shape = OPEN[kind](Path(network))
    told: dict[str, float] = {"load_s": time.perf_counter() - started, "loaded_mb": status("VmRSS")}
    photo = inputs(shape)
    if photo is None:
        raise SystemExit(f"{network} takes no picture")
    for _ in range(int(runs)):
        wall, cpu = time.perf_counter(), time.process_time()
        run(photo[0])
        told |= {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    told["peak_mb"] = status("VmHWM")
    with ThreadPoolExecutor(int(at_once)) as pool:
        list(pool.map(run, [photo[0]] * int(at_once)))
    told["crowd_peak_mb"] = status("VmHWM")
    sys.stdout.write(json.dumps(told))


def published(network: Path) -> tuple[Run, Any]:
    """With onnxruntime's own defaults, as rembg opens it."""
    session = ort.InferenceSession(network)
    (source, *_) = session.get_inputs()
    return lambda photo: session.run(None, {source.name: photo}), source.shape


def ours(network: Path, memory: Memory) -> tuple[Run, Any]:
    """As the background remover opens what the downloader has optimised."""
    model = open_network(network, optimised=True, memory=memory)
    source, target = model.session.get_inputs()[0], model.session.get_outputs()[0].name

    def run(photo: npt.NDArray[np.float32]) -> object:
        with model.one_run:
            return model.session.run([target], {source.name: photo})

    return run, source.shape


OPEN: dict[str, Callable[[Path], tuple[Run, Any]]] = {
    "published": published,
    **{memory: functools.partial(ours, memory=memory) for memory in get_args(Memory)},
}


def status(name: str) -> float:
    """A figure of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 2**10
    raise SystemExit("the models table needs Linux")


if __name__ == "__main__":
    main()
