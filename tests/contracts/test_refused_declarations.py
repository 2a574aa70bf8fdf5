"""A container or a model row that cannot work is refused, by its file and its field."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from containers.background_remover.sam_contracts import SamSpec
from tests.contracts.additions import (
    FACE_FINDER,
    TINY,
    add_container,
    add_model,
    read,
)


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        pytest.param(FACE_FINDER.replace("face-finder", "Face_Finder"), "name", id="spelling"),
        pytest.param(FACE_FINDER.replace("1.0.0", "1.0"), "version", id="short-version"),
        pytest.param(FACE_FINDER.replace("1.0.0", "latest"), "version", id="no-version"),
        pytest.param(FACE_FINDER + "memmory = 1024\n", "memmory", id="unknown-field"),
        pytest.param(FACE_FINDER.replace("1024", "64"), "memory_mb", id="too-little-memory"),
        pytest.param(FACE_FINDER.replace("1024", "10241"), "memory_mb", id="too-much-memory"),
        pytest.param(FACE_FINDER.replace("= 60", "= 901"), "timeout_s", id="too-long"),
        pytest.param(FACE_FINDER + "storage_mb = 10241\n", "storage_mb", id="too-much-storage"),
        pytest.param(FACE_FINDER + 'architecture = "mips"\n', "architecture", id="no-such-machine"),
        pytest.param(FACE_FINDER.replace("job =", "task ="), "task", id="no-job"),
        pytest.param(FACE_FINDER.replace("job =", "serves ="), "serves", id="no-such-protocol"),
        pytest.param(
            FACE_FINDER + '[[access]]\nbucket = "work"\nkeys = []\nactions = ["read"]\n',
            r"access\.0\.keys",
            id="access-to-no-key",
        ),
        pytest.param(
            FACE_FINDER + '[[access]]\nbucket = "work"\nkeys = ["*"]\nactions = ["own"]\n',
            r"access\.0\.actions\.0",
            id="no-such-action",
        ),
        pytest.param(
            FACE_FINDER + '[[tables]]\nname = "jobs"\nactions = ["CreateTable"]\n',
            r"tables\.0\.actions\.0",
            id="no-such-action-on-rows",
        ),
        pytest.param(
            FACE_FINDER + 'executions = ["DeleteStateMachine"]\n',
            r"executions\.0",
            id="no-such-action-on-executions",
        ),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_field(tree: Path, manifest: str, field: str) -> None:
    add_container(tree, manifest)

    with pytest.raises(ValueError, match=rf"(?m)^{field}$"):
        read(tree)


@pytest.mark.parametrize("more", ['job = "FindFaces"\nserves = "http"\n', ""])
def test_a_container_does_a_job_or_serves_and_not_both(tree: Path, more: str) -> None:
    add_container(tree, FACE_FINDER.replace('job = "FindFaces"\n', more))

    with pytest.raises(ValueError, match='give a job, or serves = "http", and not both'):
        read(tree)


@pytest.mark.parametrize(
    ("access", "says"),
    [
        ('bucket = "wrok"\nkeys = ["*"]', "face-finder has access to no bucket there is: wrok"),
        ('bucket = "work"\nkeys = ["{model}/*"]', "needs function_per_model = true"),
        ('bucket = "work"\nkeys = ["*"]\nengines = ["sam"]', "needs function_per_model = true"),
    ],
)
def test_access_to_what_there_is_not_is_refused(tree: Path, access: str, says: str) -> None:
    add_container(tree, f'{FACE_FINDER}[[access]]\n{access}\nactions = ["read"]\n')

    with pytest.raises(ValueError, match=says):
        read(tree)


def test_access_to_a_machine_there_is_not_is_refused(tree: Path) -> None:
    machine = '[[machines]]\nname = "backfil"\nactions = ["StartExecution"]\n'
    add_container(tree, f"{FACE_FINDER}{machine}")

    with pytest.raises(ValueError, match="face-finder has access to no machine there is: backfil"):
        read(tree)


def test_a_role_has_batch_only_where_its_container_has(tree: Path) -> None:
    path = tree / "state_machines" / "transcript.product.toml"
    path.write_text(
        path.read_text().replace('container = "denoiser"', 'container = "denoiser"\nbatch = true')
    )

    with pytest.raises(ValueError, match="transcript: denoiser has no batch for role denoise"):
        read(tree)


def test_access_to_a_table_there_is_not_is_refused(tree: Path) -> None:
    add_container(tree, f'{FACE_FINDER}[[tables]]\nname = "jbos"\nactions = ["Query"]\n')

    with pytest.raises(ValueError, match="face-finder has access to no table there is: jbos"):
        read(tree)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        pytest.param(TINY.replace("= 512", "= 64"), "memory_mb", id="too-little-memory"),
        pytest.param(TINY.replace('"tiny"', '"Tiny"'), "name", id="spelling"),
        pytest.param(TINY.replace("md5:0", "md5:"), r"files\.0\.digest", id="short-digest"),
        pytest.param(
            TINY.replace('digest = "md5:00000000000000000000000000000000"\n', ""),
            r"files\.0\.digest",
            id="forgotten-digest",
        ),
        pytest.param(
            TINY.replace("md5:00000000000000000000000000000000", "unstated"),
            r"files\.0",
            id="unstated-digest-of-a-file",
        ),
        pytest.param(
            TINY.replace("memory_mb", 'output = "matte"\nmemory_mb'), "output", id="output"
        ),
        pytest.param(TINY.replace("licence", "license"), "licence", id="unknown-field"),
        pytest.param(TINY.replace("tiny.onnx", "manifest.json"), r"files\.0\.name", id="manifest"),
        pytest.param(TINY.replace("tiny.onnx", "claim.json"), r"files\.0\.name", id="claim"),
        pytest.param(TINY.replace("scale = 1", "scale = 0"), r"saliency\.scale.*", id="scale-0"),
        pytest.param(
            TINY.replace("scale = 1", "scale = nan"), r"saliency\.scale.*", id="scale-nan"
        ),
        pytest.param(
            TINY.replace("scale = 1", "scale = inf"), r"saliency\.scale.*", id="scale-inf"
        ),
        pytest.param(TINY.replace("[1, 1, 1]", "[1, 0, 1]"), r"saliency\.std\.1", id="std-0"),
        pytest.param(
            TINY.replace("[1, 1, 1]", "[1, 1, -1]"), r"saliency\.std\.2", id="std-below-0"
        ),
        pytest.param(TINY.replace("[1, 1, 1]", "[inf, 1, 1]"), r"saliency\.std\.0", id="std-inf"),
        pytest.param(TINY.replace("[0, 0, 0]", "[0, 0, nan]"), r"saliency\.mean\.2", id="mean-nan"),
    ],
)
def test_a_wrong_row_is_refused_by_its_field(tree: Path, row: str, field: str) -> None:
    add_model(tree, row)

    with pytest.raises(ValueError, match=rf"(?m)^{field}$"):
        read(tree)


def test_a_row_of_no_engine_is_refused_with_those_there_are(tree: Path) -> None:
    add_model(tree, TINY.replace('"saliency"', '"oracle"'))

    says = "tiny: background-remover has no engine oracle, but saliency, sam, sam2, bedrock"
    with pytest.raises(ValueError, match=says):
        read(tree)


def test_a_manifest_in_a_folder_of_another_name_is_refused_by_its_file(tree: Path) -> None:
    add_container(tree, folder="ear_finder")

    with pytest.raises(ValueError, match=r"ear_finder/container\.toml: name 'face-finder'"):
        read(tree)


def test_a_fallback_that_does_not_exist_is_refused_by_its_row(tree: Path) -> None:
    add_model(tree, TINY.replace("memory_mb", 'fallback = "smaller"\nmemory_mb'))

    with pytest.raises(ValueError, match="fallback names no row of the catalogue: tiny"):
        read(tree)


FILES: Final = TINY.partition("[[models.files]]")[2]
SALIENCY: Final = next(line for line in TINY.splitlines() if line.startswith("saliency"))
SAM: Final = "sam = { canvas = [48, 64] }"
BEDROCK: Final = (
    'bedrock = { model_id = "m", largest_side = 256, smallest_side = 64, widest = 2.5 }'
)


def of_engine(engine: str, *tables: str, files: int = 1) -> str:
    """The tiny row with another engine, other tables and its file so many times."""
    row = TINY.partition("[[models.files]]")[0].replace(SALIENCY, "\n".join(tables))
    named = (FILES.replace("tiny", f"tiny{number}") for number in range(files))
    row = row.replace('"saliency"', f'"{engine}"')
    return row + "".join(f"[[models.files]]{file}" for file in named)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (of_engine("sam", SALIENCY, files=2), r"(?m)^sam\n  Field required"),
        (of_engine("saliency"), r"(?m)^saliency\n  Field required"),
        (of_engine("sam", SALIENCY, SAM, files=2), r"(?m)^saliency\n  Extra inputs"),
        (of_engine("saliency", SALIENCY, files=0), "engine saliency needs files: 1, not 0"),
        (of_engine("saliency", SALIENCY, files=2), "engine saliency needs files: 1, not 2"),
        (of_engine("sam", SAM), "engine sam needs files: 2, not 1"),
        (of_engine("sam", SAM, files=3), "engine sam needs files: 2, not 3"),
        (of_engine("bedrock", BEDROCK), "engine bedrock needs files: 0, not 1"),
        (
            of_engine("sam", SAM, files=2).replace("tiny1.onnx", "tiny0.onnx"),
            "two files are called tiny0.onnx",
        ),
    ],
)
def test_a_row_without_what_its_engine_needs_is_refused(tree: Path, row: str, says: str) -> None:
    add_model(tree, row)

    with pytest.raises(ValueError, match=says):
        read(tree)


@pytest.mark.parametrize(
    ("row", "takes_prompts", "hosted"),
    [
        (TINY, False, False),
        (of_engine("sam", SAM, files=2), True, False),
        (of_engine("bedrock", BEDROCK, files=0), False, True),
    ],
)
def test_a_row_says_how_its_model_is_used(
    tree: Path, row: str, *, takes_prompts: bool, hosted: bool
) -> None:
    add_model(tree, row)

    tiny = read(tree).catalogue.row("tiny")
    assert (tiny.takes_prompts, tiny.hosted) == (takes_prompts, hosted)


def test_a_fallback_that_would_not_look_at_the_prompts_is_refused(tree: Path) -> None:
    sam = of_engine("sam", SAM, files=2)
    add_model(tree, sam.replace("memory_mb", 'fallback = "u2netp"\nmemory_mb'))

    with pytest.raises(ValueError, match="only one of row and fallback takes prompts: tiny"):
        read(tree)


def test_a_table_of_another_engine_is_not_to_be_had(tree: Path) -> None:
    row = read(tree).catalogue.row("u2netp")

    with pytest.raises(ValidationError, match=r"(?m)^canvas\n  Field required"):
        row.spec(SamSpec)
