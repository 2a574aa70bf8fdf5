"""From a photo's bytes to its cut-out's: ours and rembg's way, each in a process of its own.

`python -m tests.bench.contenders ours|rembg photo WEIGHTS PHOTO` prints ratios, `ours between …`
what stages other than network and PNG take, and `… crowd …` how much memory eight requests at once
take beside one after the other.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from containers.background_remover.saliency import SaliencySpec, Stopwatch
from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT

ROUNDS: Final = 9
CROWD: Final = 8
ROW: Final = load_catalogue(ROOT).row("u2netp")
SPEC: Final = ROW.spec(SaliencySpec)


def ours(weights: Path, *, refine: Any = "none") -> Callable[..., bytes]:
    """What the remover and the refiner do, without the store between them."""
    from containers.background_remover.network import open_network
    from containers.background_remover.saliency import predict_mask, read_picture
    from containers.edge_refiner.alpha import estimate_alpha
    from containers.edge_refiner.budget import Budget
    from containers.edge_refiner.pictures import render
    from pipeline.contracts.cutout import CutoutOptions
    from pipeline.photo.encoding import encode
    from pipeline.photo.pixels import decode

    network = open_network(weights)
    options = CutoutOptions(model=ROW.name)

    def cut_out(content: bytes, timed: Stopwatch = lambda _: nullcontext()) -> bytes:
        with timed("read"):
            seen = read_picture(content, SPEC)
        mask = predict_mask(network, SPEC, seen, timed=timed)
        with timed("carry"):
            carried = decode(encode(mask, picture_format="png")).rgb[..., 0]
        with timed("decode"):
            photo = decode(content)
        with timed("refine"):
            _, alpha = estimate_alpha(photo, carried, mode=refine, budget=Budget(ROW.memory_mb))
        with timed("compose"):
            (cutout,) = render(photo, alpha, options)
        with timed("encode"):
            return encode(cutout.pixels, picture_format="png")

    return cut_out


def rembg(weights: Path) -> Callable[[bytes], bytes]:
    import rembg as peer

    from tests.peer import peer_session

    session = peer_session(ROW, weights)
    return lambda content: peer.remove(content, session=session)


def our_mask(weights: Path) -> Callable[[bytes], Any]:
    from containers.background_remover.network import open_network
    from containers.background_remover.saliency import predict_mask, read_picture

    network = open_network(weights)
    return lambda content: predict_mask(
        network, SPEC, read_picture(content, SPEC), timed=lambda _: nullcontext()
    )


def rembg_mask(weights: Path) -> Callable[[bytes], Any]:
    from tests.peer import peer_mask, peer_session

    session = peer_session(ROW, weights)
    return lambda content: peer_mask(session, content)


CUT_OUT: Final = {
    "ours": ours,
    "ours, edges refined": lambda weights: ours(weights, refine="fast"),
    "rembg": rembg,
}
MASK: Final = {"ours": our_mask, "rembg": rembg_mask}


def time_photo(who: str, weights: Path, content: bytes) -> dict[str, float]:
    """Wall and processor time as multiples of bare onnxruntime's with its own defaults.

    The two take turns; the best of some rounds counts.
    """
    cut_out = CUT_OUT[who](weights)
    bare = ort.InferenceSession(weights)
    tensor = np.zeros((1, 3, SPEC.input_size, SPEC.input_size), dtype=np.float32)
    feed = {bare.get_inputs()[0].name: tensor}
    photos, bares = [], []
    for _ in range(ROUNDS):
        bares.append(_spent(lambda: bare.run(None, feed)))
        photos.append(_spent(lambda: cut_out(content)))
    wall, processor = (
        min(each[kind] for each in photos) / min(each[kind] for each in bares) for kind in (0, 1)
    )
    return {"wall": wall, "processor": processor}


def time_between(_who: str, weights: Path, content: bytes) -> dict[str, float]:
    """Milliseconds of a cut-out with `fast` edges but for network and PNG, in the best round."""
    cut_out = ours(weights, refine="fast")
    spent: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent[stage].append(time.perf_counter() - started)

    for _ in range(ROUNDS):
        cut_out(content, timed)
    rounds = [dict(zip(spent, stages, strict=True)) for stages in zip(*spent.values(), strict=True)]
    between = [
        {name: 1000 * each[name] for name in each.keys() - {"infer", "encode"}} for each in rounds
    ]
    return min(between, key=lambda each: sum(each.values()))


def measure_crowd(who: str, weights: Path, content: bytes) -> dict[str, float]:
    """Peak memory of requests one by one, and of eight at once, in the same process."""
    predict = MASK[who](weights)
    for _ in range(3):
        predict(content)
    alone = _peak_rss_mb()
    with ThreadPoolExecutor(CROWD) as threads:
        list(threads.map(predict, [content] * 2 * CROWD))
    return {"alone_mb": alone, "crowd_mb": _peak_rss_mb()}


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    started, started_working = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - started_working


def _peak_rss_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 2**10


if __name__ == "__main__":
    who, what, weights_path, photo_path = sys.argv[1:]
    measure = {"photo": time_photo, "between": time_between, "crowd": measure_crowd}[what]
    sys.stdout.write(json.dumps(measure(who, Path(weights_path), Path(photo_path).read_bytes())))
