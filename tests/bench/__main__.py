"""`make bench`: start-up, the first photo, a warm one taken apart; networks; clicks; many at once.

The platform's own overhead is what is left of a photo's wall time, from PutObject to SUCCEEDED,
without the work on the picture itself (decode, prepare, infer, refine, compose, encode).
Everything is measured in one run; read the ratios, not the milliseconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import queue
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image
from rich.table import Table

from containers.background_remover.saliency import SaliencySpec, to_tensor
from pipeline.cli.report import console
from pipeline.cli.runs import sample_photos
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.operations.executions import Execution
from tests.bench import beside_rembg, clicks, load
from tests.bench.models import report_models
from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row, slow, stock

PHOTOS = 15
SIDE = 1024
PICTURE_WORK = ("decode_ms", "prepare_ms", "infer_ms", "refine_ms", "compose_ms", "encode_ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mirror, overlays, model = _model(Path(folder))
        blueprint = Blueprint.read(ROOT, defaults=(model,), overlays=overlays)
        row = blueprint.catalogue.row(model)
        started = time.perf_counter()
        with local_cloud(blueprint, weights_mirror=mirror) as cloud:
            ready_ms = _ms_since(started)
            cloud.host.warm(warm_functions(blueprint))
            first_ms, _ = _one_photo(cloud, 0)
            photos = [_one_photo(cloud, index) for index in range(1, PHOTOS + 1)]
        bare_ms = _bare_run(Path(mirror) / row.files[0].name, row)
    _report(model, ready_ms, first_ms, photos, bare_ms)
    report_models()
    clicks.main()
    beside_rembg.main()
    load.main()


def _model(folder: Path) -> tuple[str, tuple[Path, ...], str]:
    """Real weights where a mirror and a catalogue name some, else a model made for the purpose."""
    mirror, overlay = (
        os.environ.get(f"MATTELINE_{name}") for name in ("WEIGHTS_MIRROR", "CATALOGUE")
    )
    if mirror and overlay:
        for row in load_catalogue(ROOT, [Path(overlay)]).rows:
            if row.engine.name == "saliency" and (Path(mirror) / row.files[0].name).is_file():
                return mirror, (Path(overlay),), row.name
    return _made_model(folder)


def _made_model(folder: Path) -> tuple[str, tuple[Path, ...], str]:
    """About as much arithmetic as u2netp: 150 products of 512 × 512 matrices."""
    content = slow(150).SerializeToString(deterministic=True)
    shelf: Shelf = stock(folder)
    (folder / "made.onnx").write_bytes(content)
    row = catalogue_row("made", hashlib.sha256(content).hexdigest())
    shelf.catalogue.write_text(shelf.catalogue.read_text() + row)
    return shelf.mirror, (shelf.catalogue,), "made"


def _one_photo(cloud: LocalCloud, index: int) -> tuple[float, float]:
    """(wall, picture work) of one dropped photo, both in milliseconds."""
    key = f"bench/{index}.png"
    content = _photo(index)
    states = cloud.client("stepfunctions")
    ended = queue.SimpleQueue[Execution]()
    cloud.ends.listen(ended.put)
    started = time.time()
    cloud.client("s3").put_object(Bucket=NAMES.bucket("ingest"), Key=key, Body=content)
    while (execution := ended.get()).key != key:
        pass
    told = states.describe_execution(executionArn=execution.arn)
    # Its own end, not when we noticed: asking while it runs would slow it down.
    wall_ms = (told["stopDate"].timestamp() - started) * 1000
    if told["status"] != "SUCCEEDED":
        raise SystemExit(f"{told['error']}: {told['cause']}")
    place = json.loads(told["output"])["manifest"].removeprefix("s3://").split("/", 1)
    stored = cloud.client("s3").get_object(Bucket=place[0], Key=place[1])["Body"].read()
    return wall_ms, _picture_work_ms(json.loads(stored))


def _picture_work_ms(manifest: dict[str, Any]) -> float:
    names = ("RemoveBackground", "RefineEdges")
    tasks: list[dict[str, float]] = [manifest["tasks"][name]["metrics"] for name in names]
    return sum(metrics.get(stage, 0.0) for metrics in tasks for stage in PICTURE_WORK)


def _photo(index: int) -> bytes:
    """One megapixel, each a little different, so that none is a duplicate."""
    image = Image.open(sample_photos()[0]).convert("RGB").resize((SIDE, SIDE))
    image.putpixel((index, 0), (index, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue() + bytes([index])


def _bare_run(weights: Path, row: ModelRow) -> float:
    """The median of bare onnxruntime on the same tensor, with its own defaults."""
    pixels = np.asarray(Image.open(io.BytesIO(_photo(0))))
    tensor = to_tensor(pixels, row.spec(SaliencySpec))
    session = ort.InferenceSession(weights)
    feed = {session.get_inputs()[0].name: tensor}
    times = []
    for _ in range(PHOTOS):
        started = time.perf_counter()
        session.run(None, feed)
        times.append(_ms_since(started))
    return statistics.median(times)


def _report(
    model: str, ready_ms: float, first_ms: float, photos: list[tuple[float, float]], bare_ms: float
) -> None:
    wall_ms = statistics.median(wall for wall, _ in photos)
    work_ms = statistics.median(work for _, work in photos)
    overhead_ms = statistics.median(wall - work for wall, work in photos)
    table = Table("figure", "ms", "× bare onnxruntime", title=f"1 MP photo, {model}, one run")
    for name, value in (
        ("cloud ready", ready_ms),
        ("first photo, weights staged", first_ms),
        (f"warm photo, median of {PHOTOS}", wall_ms),
        ("  of it: the picture itself", work_ms),
        ("  of it: the platform", overhead_ms),
        ("bare onnxruntime, same tensor", bare_ms),
    ):
        table.add_row(name, f"{value:,.0f}", f"{value / bare_ms:.2f}")
    console().print(table)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
