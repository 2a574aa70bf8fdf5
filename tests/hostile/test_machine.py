"""A few of each kind through the real state machine; and what its logs do not say."""

from __future__ import annotations

import functools
import http.server
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES as PLATFORM
from pipeline.local.deployment import warm_functions
from pipeline.local.worker import Function
from tests.conftest import ROOT
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.hasty import hasty
from tests.hostile import bombs, formats, oddities, truncations
from tests.hostile.case import CUTOUT, Note, picture, saved
from tests.hostile.test_corpus import assert_cut_out
from tests.models import Shelf
from tests.pipeline.photo.handmade import chunk, png
from tests.pipeline.photo.pictures import GPS

KEY, TOKEN, PASSWORD = "hush-secret-key", "hush-session-token", "hush-mirror-password"
EXIF, TEXT, OTHERS = "hush-12-garden-lane", "hush-in-a-text", "hush-somebody-elses"
SECRETS: Final = (KEY, TOKEN, PASSWORD, EXIF, TEXT, OTHERS)
FILES: Final = {
    case.name: case
    for case in chain(formats.cases(), truncations.cases(), bombs.cases(), oddities.cases())
}
SAMPLE: Final = (
    "JPEG CMYK", "PNG I;16", "TIFF LAB", "WEBP of three frames", "JPEG turned by 6",
    "PNG interlaced",
    "PNG, 4/8 of its stream, closed", "JPEG, 5/8 of it, closed", "PNG with 4/8 of its rows",
    "PNG zTXt of 200 MiB", "PNG profile of 200 MiB", "JPEG of 111 scans", "TIFF in tiles of 30000²",
    "PNG of 10000×10001", "WEBP on a canvas of 16777216²", "PNG of 100,001 chunks",
    "no bytes", "SVG", "PDF", "JPEG followed by a ZIP", "white, 1×1", "white, 1×20000",
    "all transparent, RGBA", "all of level 128",
)  # fmt: skip
NAMES: Final = (
    "odd/사진 고양이 😀.jpg", "odd/a+b %2F&c;d.jpg", "odd/quote'\".jpg", "odd/../up.jpg",
    "odd/States.Format('{}').jpg", "odd/" + "long" * 250 + ".jpg",
)  # fmt: skip


@pytest.fixture(scope="module")
def mirror(shelf: Shelf) -> Iterator[str]:
    """The shelf's folder behind an address with a password in it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: Any) -> None: ...

    serve = functools.partial(Quiet, directory=str(shelf.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://reader:{PASSWORD}@127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def driver(shelf: Shelf, mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    brisk = hasty(blueprint, tmp_path_factory.mktemp("machines"))
    with local_cloud(brisk, weights_mirror=mirror, adjust=_with_secrets) as cloud:
        cloud.host.warm(warm_functions(blueprint))
        driver = Driver(cloud, Faults())
        assert driver.stage("brightness").status == "SUCCEEDED"
        yield driver


def _with_secrets(function: Function) -> Function:
    secrets = {"AWS_SECRET_ACCESS_KEY": KEY, "AWS_SESSION_TOKEN": TOKEN}
    return replace(function, environment={**function.environment, **secrets})


def test_a_sample_of_every_kind_has_one_recorded_end(driver: Driver, record_property: Note) -> None:
    keys = {name: f"sample/{number:02}.jpg" for number, name in enumerate(SAMPLE)}
    for name, key in keys.items():
        driver.put(FILES[name].content(), key)

    for name, execution in zip(keys, driver.wait_for(list(keys.values())), strict=True):
        case = FILES[name]
        rows = [*driver.records_of(keys[name]), driver.record(execution.arn.rpartition(":")[2])]
        (record,) = filter(None, rows)
        record_property("end", execution.error or CUTOUT)
        assert (execution.error or CUTOUT) in case.ends, f"{name}: {execution.cause}"
        if execution.error:
            assert (record["status"], record["error"]) == ("QUARANTINED", execution.error)
            reason = driver.reason(execution)
            assert (reason["error"], bool(reason["hint"])) == (execution.error, True)
        else:
            assert (record["status"], execution.status) == ("DONE", "SUCCEEDED")
            made = driver.read(record["manifest"].replace(".json", ".png"))
            pixels = np.asarray(Image.open(io.BytesIO(made)))
            assert case.drawn is not None
            assert_cut_out(pixels, case.drawn, case.tolerance)


def test_odd_names_come_out_beside_what_they_name(driver: Driver, record_property: Note) -> None:
    for key in NAMES:
        driver.put(png(), key)

    assert [row.error for row in driver.wait_for(list(NAMES))] == [None] * len(NAMES)
    for key in NAMES:
        record_property("end", CUTOUT)
        (record,) = driver.records_of(key)
        assert record["status"] == "DONE"
        assert driver.read(record["manifest"])


def test_no_secret_is_in_any_log_or_picture(driver: Driver) -> None:
    block = Image.Exif()
    block[0x010E] = EXIF
    block.get_ifd(GPS)[1] = EXIF
    text = chunk(b"tEXt", b"Comment\0" + TEXT.encode())
    photos = {
        "secret/fine.jpg": saved(picture(), "JPEG", quality=95, exif=block),
        "secret/fine.png": png(before=text),
        "secret/broken.png": png(before=text, idat=b"no pixels"),
        "secret/none.jpg": b"GIF89a" + TEXT.encode(),
    }
    for key, content in photos.items():
        metadata = {"password": OTHERS, "matteline-refine": "fast"}
        driver.s3.put_object(
            Bucket=PLATFORM.bucket("ingest"), Key=key, Body=content, Metadata=metadata
        )
    driver.wait_for(list(photos))
    driver.stage("missing")

    told = b"".join(path.read_bytes() for path in Path(driver.cloud.logs).iterdir())
    made = b"".join(
        driver.read(f"s3://{PLATFORM.bucket(kind)}/{key}")
        for kind in ("output", "quarantine")
        for key in driver.keys(kind)
    )
    assert told.count(b'"message":"done"') > len(photos)
    assert b'"error":"CorruptMedia"' in told
    assert b"WeightsUnavailable" in told
    assert [secret for secret in SECRETS if secret.encode() in told + made] == []
