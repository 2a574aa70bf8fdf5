"""Analyze faces, from a photo in a store to files in a store: a coloured square is a face."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from PIL import Image

import tests.face_models as models
from containers.face_analyzer import network
from containers.face_analyzer.handler import handler
from pipeline.contracts.faces import Face
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.photo.colour.spaces import ADOBE_RGB
from pipeline.task import equip
from tests.conftest import ROOT
from tests.containers.face_analyzer.conftest import BOTH, Bench, Lambda, bench_with, png, saved
from tests.face_models import BLUE, NAME, RED, Engine, painted, photo


def boxes(faces: Sequence[Face]) -> list[list[int]]:
    each = [face.detection.box for face in faces]
    return sorted([round(side) for side in (b.x, b.y, b.width, b.height)] for b in each)


def test_faces_are_found_with_landmarks_and_pose_and_nothing_else(bench: Bench) -> None:
    result = bench.run(png(photo((40, 80, 40), (160, 80, 80))))

    document = json.loads(bench.read(result.faces))
    assert result.count == len(document["faces"]) == 2
    assert {tuple(face) for face in document["faces"]} == {("detection", "landmarks", "pose")}
    assert [len(face["landmarks"]) for face in document["faces"]] == [68, 68]
    assert (document["schema"], document["width"], document["height"]) == (1, 320, 240)
    assert (document["estimated"], document["model"]) == (None, NAME)
    assert document["weights_sha256"] == result.weights_sha256
    assert [file.kind for file in result.files] == ["faces"]


def test_boxes_and_landmarks_are_pixels_of_the_photo(bench: Bench) -> None:
    document = bench.document(png(photo((160, 80, 80))))

    (face,) = document.faces
    assert boxes(document.faces) == [[160, 80, 80, 80]]
    expected = models.pattern() * 80 + (160, 80)
    assert np.abs(np.array(face.landmarks) - expected).max() < 1
    assert face.pose is not None
    assert (face.pose.roll, face.pose.yaw) == pytest.approx((0, 0), abs=1)


def test_landmarks_of_a_face_that_the_photo_cuts_are_in_its_visible_part(bench: Bench) -> None:
    """face-api would add the corner of the box, which is outside the photo."""
    content = png(photo((-2, 80, 80), size=(320, 240)))

    (face,) = bench.document(content, min_score=0.05).faces[:1]

    middle = np.mean(face.landmarks, axis=0)
    assert middle == pytest.approx((39, 120), abs=3)


def test_attributes_that_were_asked_for_are_estimated(bench: Bench) -> None:
    content = png(painted((40, 80, 40, RED), (160, 80, 80, BLUE)))

    document = bench.document(content, attributes=BOTH)

    left, right = sorted(document.faces, key=lambda face: face.detection.box.x)
    assert left.age_and_gender is not None
    assert right.age_and_gender is not None
    assert (left.age_and_gender.gender, right.age_and_gender.gender) == ("male", "female")
    assert left.age_and_gender.gender_probability > 0.8
    assert left.expressions is not None
    assert right.expressions is not None
    assert max(left.expressions, key=left.expressions.__getitem__) == "happy"
    assert max(right.expressions, key=right.expressions.__getitem__) == "sad"
    assert list(left.expressions) == [
        "neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised",
    ]  # fmt: skip
    assert sum(left.expressions.values()) == pytest.approx(1, abs=1e-5)
    assert document.estimated is not None
    assert "estimates" in document.estimated


def noted_roles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the role of each network is added that is opened from now on."""
    opened: list[str] = []
    load = network.Networks.open

    def noted(self: network.Networks, role: str) -> network.Network:
        opened.append(role)
        return load(self, role)

    monkeypatch.setattr(network.Networks, "open", noted)
    return opened


def test_a_network_returns_its_memory_whatever_staging_has_measured(bench: Bench) -> None:
    job = bench.job(png(photo()), options={})
    row = catalogue_of(bench.context.bench, "face-analyzer").row(NAME)
    weights = weights_of(bench.context.bench)
    files = weights.files(staged_record(job), row, network.runtime())
    kept = tuple(file._replace(memory="kept", optimised=True) for file in files)

    opened = network.Networks.of(row, kept, threads=1).open("landmarks")

    assert not opened.session.get_session_options().enable_cpu_mem_arena


@pytest.mark.parametrize(
    ("attributes", "loaded"),
    [
        ((), ["detection", "landmarks"]),
        (("expressions",), ["detection", "landmarks", "expressions"]),
        (("age_gender",), ["detection", "landmarks", "ages"]),
        (BOTH, ["detection", "landmarks", "ages", "expressions"]),
    ],
)
def test_a_network_that_nobody_asked_for_is_not_loaded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, attributes: tuple[str, ...], loaded: list[str]
) -> None:
    opened = noted_roles(monkeypatch)

    (face,) = bench.document(png(photo((160, 80, 80))), attributes=attributes).faces

    assert opened == loaded
    assert (face.expressions is not None) == ("expressions" in attributes)
    assert (face.age_and_gender is not None) == ("age_gender" in attributes)


def test_no_face_is_a_success_and_loads_only_the_detector(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = noted_roles(monkeypatch)

    result = bench.run(png(photo()), attributes=BOTH, preview=True, redact="blur")

    assert result.count == 0
    assert opened == ["detection"]
    assert json.loads(bench.read(result.faces))["faces"] == []
    assert [file.kind for file in result.files] == ["faces", "preview", "redacted"]


def test_scores_and_numbers_are_limits(bench: Bench) -> None:
    pixels = photo((40, 80, 40), (160, 80, 80), (0, 160, 40))
    pixels[80:160, 160:240] = (240, 0, 0)  # a score of about 0.88
    pixels[160:200, 0:40] = (210, 0, 0)  # about 0.65

    found = {
        (least, most): boxes(bench.document(png(pixels), min_score=least, max_faces=most).faces)
        for least, most in ((0.5, 100), (0.75, 100), (0.5, 1))
    }

    assert len(found[0.5, 100]) == 3
    assert found[0.75, 100] == [[40, 80, 40, 40], [160, 80, 80, 80]]
    assert found[0.5, 1] == [[40, 80, 40, 40]]


def test_faces_that_are_not_listed_are_hidden_all_the_same(bench: Bench) -> None:
    pixels = photo((40, 80, 40), (160, 80, 80))

    result = bench.run(png(pixels), max_faces=1, redact="cover", preview=True)

    assert result.count == 1
    hidden = np.asarray(Image.open(io.BytesIO(bench.read(result.files[-1].artifact))))
    assert hidden[110:130, 190:210].max() == 0
    assert hidden[90:110, 50:70].max() == 0


def test_small_faces_are_found_only_if_asked_for(bench: Bench) -> None:
    content = png(photo((1000, 496, 16), (176, 304, 16), size=(1280, 960)))

    assert bench.document(content).faces == ()
    faces = bench.document(content, small_faces=True).faces
    assert len(faces) == 2
    assert boxes(faces)[1][2:] == [16, 16]


def test_the_tiny_detector_finds_faces(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, "tiny-yolo")

    document = bench.document(png(photo((80, 80, 80), size=(320, 320))), attributes=BOTH)

    assert boxes(document.faces) == [[80, 80, 80, 80]]
    assert document.faces[0].detection.score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-3)


def test_files_have_their_names(bench: Bench) -> None:
    result = bench.run(png(photo((160, 80, 80))), preview=True, redact="cover")

    assert [(file.kind, file.media_type, file.work_key, file.output_key) for file in result.files][
        :2
    ] == [
        ("faces", "application/json", "faces/1/faces.json", "people/a_faces.json"),
        ("preview", "image/jpeg", "faces/1/faces_preview.jpg", "people/a_faces_preview.jpg"),
    ]
    assert result.files[2].output_key == "people/a_faces_redacted.png"
    assert result.files[2].work_key == "faces/1/faces_redacted.png"
    for file in result.files[1:]:
        Image.open(io.BytesIO(bench.read(file.artifact))).load()


def test_pictures_keep_the_photos_colours_and_profile(bench: Bench) -> None:
    """Networks see sRGB; who gets the pictures has the photo's own numbers, with their meaning."""
    adobe = ADOBE_RGB.profile(grey=False)
    assert adobe
    pixels = painted((160, 80, 80, (180, 20, 20)), (20, 20, 30, (10, 200, 30)))

    result = bench.run(png(pixels, icc_profile=adobe), preview=True, redact="cover")

    assert result.count == 1
    for picture in result.files[1:]:
        assert Image.open(io.BytesIO(bench.read(picture.artifact))).info["icc_profile"] == adobe
    redacted = np.asarray(Image.open(io.BytesIO(bench.read(result.files[2].artifact))))
    assert (redacted[:60, :100] == pixels[:60, :100]).all()


def test_the_preview_shows_the_photo_and_the_redaction_hides_the_face(bench: Bench) -> None:
    result = bench.run(png(photo((160, 80, 80))), preview=True, redact="cover")

    preview, redacted = (
        np.asarray(Image.open(io.BytesIO(bench.read(file.artifact))).convert("RGB"))
        for file in result.files[1:]
    )
    assert preview[120, 200, 0] > 200
    assert redacted[120, 200, 0] == 0


def test_exif_rotation_is_applied_first(bench: Bench) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera turned clockwise
    upright = photo((160, 80, 80))
    lying = np.ascontiguousarray(np.rot90(upright))

    document = bench.document(png(lying, exif=exif))

    assert (document.width, document.height) == (320, 240)
    assert boxes(document.faces) == [[160, 80, 80, 80]]


def test_a_photo_of_any_kind_is_searched(bench: Bench) -> None:
    pixels = photo((160, 80, 80))
    light = pixels[..., 0]
    grey = Image.fromarray(light)
    deep = Image.fromarray(light.astype(np.uint16) * 257)
    clear = np.dstack([pixels, np.full_like(light, 255)])
    kinds = {
        "grey": saved(grey, "PNG"),
        "16 bit": saved(deep, "PNG"),
        "palette": saved(grey.convert("P"), "PNG"),
        "black and white": saved(grey.convert("1"), "PNG"),
        "alpha": png(clear),
        "CMYK": saved(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=95),
        "JPEG": saved(Image.fromarray(pixels), "JPEG", quality=95),
        "WebP": saved(Image.fromarray(pixels), "WEBP", lossless=True),
        "TIFF": saved(Image.fromarray(pixels), "TIFF"),
    }

    found = {
        name: boxes(bench.document(content, min_score=0.3).faces) for name, content in kinds.items()
    }

    assert found == {kind: [[160, 80, 80, 80]] for kind in kinds}


def test_colours_are_converted_to_srgb(bench: Bench) -> None:
    """Adobe RGB's red is lighter than sRGB's; a lighter square is an older face."""
    pixels = painted((160, 80, 80, (200, 0, 0)))

    plain, adobe = (
        bench.document(png(pixels, icc_profile=profile), min_score=0.3, attributes=BOTH).faces[0]
        for profile in (None, ADOBE_RGB.profile())
    )

    assert plain.age_and_gender is not None
    assert adobe.age_and_gender is not None
    assert adobe.age_and_gender.age > plain.age_and_gender.age + 5


def test_a_face_that_is_fully_transparent_is_not_seen(bench: Bench) -> None:
    pixels = photo((160, 80, 80))
    alpha = np.where(pixels[..., 0] > 0, 0, 255).astype(np.uint8)

    (face,) = bench.document(png(np.dstack([pixels, alpha])), attributes=("expressions",)).faces

    assert face.expressions is not None
    assert face.expressions["happy"] == pytest.approx(face.expressions["sad"], abs=1e-3)  # white


def test_the_same_photo_gives_the_same_bytes(bench: Bench) -> None:
    content = png(photo((40, 80, 40), (160, 80, 80)))
    how: dict[str, Any] = {"attributes": BOTH, "preview": True, "redact": "blur"}

    first, second = (
        [file.artifact.sha256 for file in bench.run(content, **how).files] for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize("engine", ["ssd", "tiny-yolo"])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (1, 5000), (5000, 1)])
def test_photos_of_odd_sizes_are_searched_and_drawn(
    tmp_path: Path, engine: Engine, size: tuple[int, int]
) -> None:
    white = np.full((size[1], size[0], 3), 255, np.uint8)

    result = bench_with(tmp_path, engine).run(
        png(white), small_faces=True, preview=True, redact="blur", attributes=BOTH, min_score=0.05
    )

    assert [file.kind for file in result.files] == ["faces", "preview", "redacted"]


def test_nothing_about_a_face_is_logged(
    bench: Bench, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A log may hold how many faces a photo has, and nothing else of them."""
    equip(bench.context.bench)
    caplog.set_level(logging.DEBUG)
    content = png(painted((40, 80, 40, RED), (160, 80, 80, BLUE)))
    job = bench.job(content, options={"attributes": BOTH, "preview": True})

    answer = handler(job.model_dump(mode="json", by_alias=True), cast("LambdaContext", Lambda()))

    logged = capsys.readouterr()
    text = (logged.out + logged.err + caplog.text).lower()
    assert '"faces":[2.0]' in text
    for word in ("box", "landmark", "happy", "female", "male", "yaw", "score", "age_gender"):
        assert word not in text
    assert set(answer) == {
        "schema", "metrics", "provenance", "faces", "files", "count", "model", "weights_sha256",
    }  # fmt: skip


def test_the_self_tests_files_are_those_that_are_built() -> None:
    for path, content in models.self_test_files().items():
        assert (ROOT / "containers" / "face_analyzer" / path).read_bytes() == content
