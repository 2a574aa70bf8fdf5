"""`matteline run` and `demo` write outputs, print tables and set the exit code."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from PIL import Image

from pipeline.cli.command import main
from pipeline.cli.run_batch import _with_model
from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row
from tests.pictures import png, square, unpng
from tests.pipeline.cli.conftest import Matteline

PHOTO = "docs/pictures/before-after.png"
RECORDING = "containers/transcriber/golden/speech.flac"
Typed = Callable[..., tuple[object, str]]


@pytest.fixture
def typed(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Runs a command that starts no cloud in this process, which has loaded its modules already.

    Returns the exit code and what it prints.
    """

    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["matteline", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest's own handlers stay
    return run


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Return a folder with two photos of the same name, one in a subfolder, and a hidden file."""
    folder = tmp_path / "album"
    (folder / "trip").mkdir(parents=True)
    (folder / ".DS_Store").write_bytes(b"not a photo")
    (folder / "cat.png").write_bytes(png(square(left=8)))
    Image.fromarray(square(left=56)).save(folder / "cat.webp", lossless=True)
    (folder / "trip" / "dog [1].png").write_bytes(png(square()))
    return folder


def test_a_folder_is_cut_out_photo_by_photo(matteline: Matteline, album: Path) -> None:
    output = album / "out"

    done = matteline(
        "run", str(album), "-o", str(output), "--model", "brightness", "--refine", "auto"
    )

    assert done.returncode == 0, done.stderr
    assert sorted(str(path.relative_to(output)) for path in output.rglob("*.*")) == [
        "cat.png_bg_removed.json",
        "cat.png_bg_removed.png",
        "cat.webp_bg_removed.json",
        "cat.webp_bg_removed.png",
        "contact-sheet.png",
        "trip/dog [1]_bg_removed.json",
        "trip/dog [1]_bg_removed.png",
    ]
    left, right = (
        unpng((output / f"cat.{suffix}_bg_removed.png").read_bytes())[48, :, 3]
        for suffix in ("png", "webp")
    )
    assert (left[24], left[72], right[24], right[72]) == (255, 0, 0, 255)
    assert "dog [1]" in done.stdout
    assert done.stdout.count("DONE") == 3
    assert unpng((output / "contact-sheet.png").read_bytes()).shape[1] > 600


def test_options_of_the_command_shape_the_outputs_and_the_table_shows_the_cutout(
    matteline: Matteline, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    output = tmp_path / "out"

    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(output), "--model", " brightness ",
        "--outputs", "cutout, mask", "--format", " jpeg ", "--background", "#FF8040",
        "--crop", "--margin", "50", "--size", "20",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "cat_bg_removed.jpg" in done.stdout
    assert "cat_mask" not in done.stdout
    with Image.open(output / "cat_bg_removed.jpg") as image:
        assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 20)
        assert image.getpixel((0, 0)) == pytest.approx((255, 128, 64), abs=4)
    assert max(unpng((output / "cat_mask.png").read_bytes()).shape) == 20
    options = json.loads((output / "cat_bg_removed.json").read_text())["options"]
    assert (options["format"], options["size"], options["margin"]) == ("jpeg", 20, 50)


def test_a_quarantined_photo_is_reported_and_sets_exit_code_1(
    matteline: Matteline, tmp_path: Path
) -> None:
    (tmp_path / "good.png").write_bytes(png(square()))
    (tmp_path / "diary.jpg").write_bytes(b"Dear diary")
    photos = [str(tmp_path / name) for name in ("good.png", "diary.jpg")]

    done = matteline("run", *photos, "-o", str(tmp_path / "out"), "--model", "brightness")

    assert done.returncode == 1
    assert "QUARANTINED" in done.stdout
    assert "UnsupportedMedia" in done.stdout
    record = json.loads((tmp_path / "out" / "good_bg_removed.json").read_text())
    assert record["options"]["model"] == "brightness"
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["run"], 2, "MEDIA", id="no media"),
        pytest.param(["run", "nowhere.jpg"], 2, "does not exist", id="no such file"),
        pytest.param(["run", "tests/pipeline/cli/nothing"], 2, "no photos", id="empty folder"),
        pytest.param(["run", PHOTO, "--refine", "magic"], 2, "magic", id="no such mode"),
        pytest.param(["run", PHOTO, "--background", "red"], 2, "such as #ffffff", id="colour"),
        pytest.param(["run", PHOTO, "--outputs", "film"], 2, "outputs", id="no such output"),
        pytest.param(
            ["run", PHOTO, "--refine", "matte"], 2, "did you mean 'matting'?", id="near mode"
        ),
        pytest.param(
            ["run", PHOTO, "--outputs", "cutout, maks"], 2, "--outputs: ", id="near output"
        ),
        pytest.param(["run", PHOTO, "--outputs", "film"], 2, "got 'film'\n", id="said once"),
        pytest.param(["run", PHOTO, "--model", " "], 2, "--model", id="empty model"),
        pytest.param(["run", PHOTO, "--margin", "10"], 2, "--margin needs --crop: ", id="margin"),
        pytest.param(["run", PHOTO, "--format", "jpeg"], 2, "--background", id="transparent JPEG"),
        pytest.param(["run", PHOTO, "--size", "0"], 2, "--size: ", id="no pixels"),
        pytest.param(
            ["run", PHOTO, "--model", "brightnes"],
            2,
            "did you mean 'brightness'?",
            id="near model",
        ),
        pytest.param(["run", PHOTO, "--catalogue", "Makefile"], 2, "Makefile", id="no TOML"),
        pytest.param(
            ["run", PHOTO, "-o", "Makefile"], 2, "it is not a folder", id="a file as output"
        ),
        pytest.param(["up", "--port", "99999"], 2, "99999", id="no such port"),
        pytest.param(
            ["up", "--on-request", "face=people/"], 2, "did you mean 'faces'?", id="no such product"
        ),
        pytest.param(
            ["up", "--on-request", "people/"],
            2,
            "product=prefix, such as faces=people/",
            id="no prefix",
        ),
        pytest.param(["run", PHOTO, "--model", "u3net"], 2, "u2netp", id="no such model"),
        pytest.param(["run", PHOTO, "--model", "missing"], 1, "MIRROR", id="no weights"),
        pytest.param(["run", PHOTO, "--model", "hosted"], 1, "cannot reach", id="hosted"),
        pytest.param(["run", PHOTO, "--point", "9"], 2, "write X,Y", id="half a point"),
        pytest.param(
            ["run", PHOTO, "--language", "de"],
            2,
            "--language: only a recording has that, and no recording was given\n",
            id="an option of recordings",
        ),
        pytest.param(
            ["run", PHOTO, "--language", "xx"],
            2,
            "'xx' is not one of af, am, ar, ",
            id="no language",
        ),
        pytest.param(
            ["run", PHOTO, "--attenuation-db", "12"],
            2,
            "--attenuation-db needs --denoise: ",
            id="attenuation",
        ),
        pytest.param(["run", PHOTO, "--concurrency", "99"], 2, "--concurrency: ", id="windows"),
        pytest.param(["run", PHOTO, "--speakers", "21"], 2, "--speakers: ", id="crowd"),
        pytest.param(
            ["run", PHOTO, "--speakers", "2"],
            2,
            "--speakers needs --diarize: only diarize tells speakers apart\n",
            id="speakers",
        ),
        pytest.param(
            ["run", PHOTO, "--diarize", "--least-speakers", "3", "--most-speakers", "2"],
            2,
            "--least-speakers contradicts --most-speakers: ",
            id="least and most",
        ),
        pytest.param(
            ["run", PHOTO, "--tags", "--most-tags", "0"], 2, "--most-tags: ", id="no tags"
        ),
        pytest.param(
            ["run", PHOTO, "--diarize", "--tags"],
            2,
            "--diarize, --tags: only a recording has that, and no recording was given\n",
            id="options of recordings",
        ),
        pytest.param(
            ["run", RECORDING, "--diarize", "--speaker-model", "whisper-bas"],
            2,
            "no model is called 'whisper-bas'; there are pyannote-campplus, ",
            id="no such speaker model",
        ),
        pytest.param(
            ["run", RECORDING, "--align", "whisper-base"],
            2,
            "the model whisper-base is for another task; there are wav2vec2-base-960h\n",
            id="a model of another task",
        ),
        pytest.param(
            ["run", PHOTO, "--product", "film"], 2, "cutout, faces, transcript", id="product"
        ),
        pytest.param(
            ["run", PHOTO, "--product", "face"], 2, "did you mean 'faces'?", id="nearest product"
        ),
        pytest.param(
            ["faces", PHOTO, "--redact", "blurr"], 2, "did you mean 'blur'?", id="nearest word"
        ),
        pytest.param(
            ["faces", PHOTO, "--atributes", "age_gender"],
            2,
            "Did you mean '--attributes'?",
            id="nearest option",
        ),
        pytest.param(
            ["faces", PHOTO, "--attributes", "age-gender"],
            2,
            "got 'age-gender'; did you mean 'age_gender'?",
            id="nearest attribute",
        ),
        pytest.param(
            ["faces", PHOTO, "--min-score", "2"],
            2,
            "--min-score: input should be less than or equal to 1, got '2'",
            id="score",
        ),
        pytest.param(
            ["faces", PHOTO, "--embedder", "sface"],
            2,
            "--embedder needs --embed: only embed makes vectors\n",
            id="embedder without vectors",
        ),
        pytest.param(
            ["run", PHOTO, "--redact", "blur", "--embed"],
            2,
            "--embed, --redact: only --product faces has that\n",
            id="options of faces",
        ),
        pytest.param(
            ["run", RECORDING, "--preview"],
            2,
            "--preview: only --product faces has that\n",
            id="options of faces without a photo",
        ),
        pytest.param(
            ["run", PHOTO, "--product", "faces", "--crop"],
            2,
            "--crop: only --product cutout has that\n",
            id="options of cutouts",
        ),
        pytest.param(
            ["run", PHOTO, "--product", "faces", "--compute", "batch"],
            2,
            "--compute: models for faces run in functions only\n",
            id="compute of faces",
        ),
        pytest.param(
            ["faces", PHOTO, "--compute", "batch"], 2, "No such option", id="faces have no compute"
        ),
        pytest.param(
            ["run", PHOTO, "--compute", "lamda"], 2, "did you mean 'lambda'?", id="nearest compute"
        ),
        pytest.param(
            ["faces", RECORDING],
            1,
            "a recording, and --product faces takes photos\n",
            id="no photo",
        ),
        pytest.param(
            ["run", "LICENSE"],
            1,
            "UNSUPPORTED LICENSE: neither a photo nor a recording: plain text\nUpload a photo (",
            id="neither",
        ),
        pytest.param(
            ["run", PHOTO, "--product", "transcript"],
            1,
            "a photo, and --product transcript takes recordings\n",
            id="other product",
        ),
    ],
)
def test_a_wrong_command_is_explained(
    typed: Typed, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    given = [str(tmp_path) if part == "tests/pipeline/cli/nothing" else part for part in arguments]

    exit_code, told = typed(*given)

    assert exit_code == code
    assert says in told


@pytest.mark.parametrize(("model", "code"), [("u3net", 2), ("missing", 1)])
def test_a_wrong_command_is_explained_without_a_traceback(
    matteline: Matteline, model: str, code: int
) -> None:
    done = matteline("run", PHOTO, "--model", model)

    assert done.returncode == code
    assert done.stderr.startswith(("UnknownModel: ", "WeightsUnavailable: "))
    assert "Traceback" not in done.stderr


def test_a_model_is_for_what_the_run_makes() -> None:
    cloud = Mock()
    cloud.models.container = "background-remover"

    assert _with_model({}, "u2netp", cloud, ["cutout", "transcript"]) == {
        "cutout": {"model": "u2netp"}
    }
    with pytest.raises(click.UsageError, match="--model u2netp: it is not for faces; "):
        _with_model({}, "u2netp", cloud, ["faces"])


def test_points_and_boxes_mark_the_subject(matteline: Matteline, tmp_path: Path) -> None:
    (tmp_path / "white.png").write_bytes(png(square(side=64, left=0, top=0, size=64)))

    done = matteline(
        "run", str(tmp_path / "white.png"), "-o", str(tmp_path / "out"), "--model", "pointer",
        "--refine", "none", "--box", "8,8,56,56", "--point", "0.5,0.5,0",
    )  # fmt: skip
    mixed = matteline(
        "run", str(tmp_path / "white.png"), "-o", str(tmp_path / "out2"), "--model", "pointer",
        "--refine", "none", "--box", "8,8,56,56", "--point", "32,32,0",
    )  # fmt: skip

    assert (done.returncode, mixed.returncode) == (1, 0), mixed.stdout + mixed.stderr
    assert "InvalidPrompt" in done.stdout
    alpha = unpng((tmp_path / "out2" / "white_bg_removed.png").read_bytes())[..., 3]
    assert (alpha[4, 4], alpha[16, 16], alpha[32, 32]) == (0, 255, 0)


def test_offline_the_starter_is_the_default_and_reported(
    matteline: Matteline, tmp_path: Path
) -> None:
    unreachable = tmp_path / "models.toml"
    row = catalogue_row("u2netp", "0" * 64)
    unreachable.write_text(f'{row}urls = ["http://127.0.0.1:9/u2netp.onnx"]')
    output = tmp_path / "out"

    done = matteline(
        "demo", "-o", str(output),
        MATTELINE_WEIGHTS_MIRROR=str(tmp_path), MATTELINE_CATALOGUE=str(unreachable),
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    why = "our own small model, from the repository; u2netp is unavailable, tried"
    assert f"Model: starter ({why} {tmp_path} (it has no u2netp.onnx), http" in done.stdout
    record = json.loads((output / "chelsea_bg_removed.json").read_text())
    assert record["model"] == "starter"
    cutout = unpng((output / "chelsea_bg_removed.png").read_bytes())
    assert cutout.shape == (300, 451, 4)
    assert cutout[140, 220, 3] > 200  # the cat's face
    assert cutout[:20, :20, 3].max() < 60  # the corner behind it


def test_weights_kept_by_an_earlier_run_are_the_default_mirror(
    matteline: Matteline, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    kept = tmp_path / "cache" / "matteline" / "weights"
    kept.mkdir(parents=True)
    (kept / "brightness.onnx").write_bytes((shelf.folder / "brightness.onnx").read_bytes())

    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(tmp_path / "out"), "--model", "brightness",
        MATTELINE_WEIGHTS_MIRROR="", XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_users_aws_and_proxy_settings_do_not_affect_the_local_cloud(
    matteline: Matteline, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = eu-west-3\n")

    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(tmp_path / "out"), "--model", "brightness",
        AWS_PROFILE="nobody", AWS_CONFIG_FILE=str(config), AWS_RETRY_MODE="bogus",
        AWS_ENDPOINT_URL="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "cat_bg_removed.png").is_file()


@pytest.mark.parametrize("columns", ["60", "200"])
def test_the_table_fits_the_terminal(matteline: Matteline, tmp_path: Path, columns: str) -> None:
    (tmp_path / "diary.jpg").write_bytes(b"Dear diary")

    done = matteline(
        "run", str(tmp_path / "diary.jpg"), "-o", str(tmp_path / "out"), "--model", "brightness",
        COLUMNS=columns, PYTHONIOENCODING="ascii",
    )  # fmt: skip

    assert done.returncode == 1
    assert "QUARANTINED" in done.stdout
    assert "Traceback" not in done.stderr
    assert "contact-sheet.png are in" not in done.stdout
