"""A new container is one new folder, a new model is one new row; nothing else is edited."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from containers.background_remover.sam import SamSpec
from pipeline.declared.blueprint import Blueprint
from pipeline.errors import UnknownModel
from pipeline.local.deployment import NAMES
from pipeline.releases.shipping import shipped_files
from tests.contracts.declared import ROOT

FACE_FINDER: Final = """
name = "face-finder"
version = "1.0.0"
summary = "Find the faces in a photo."
job = "FindFaces"
memory_mb = 1024
timeout_s = 60
image_mb = 100
"""
FACE_EMBEDDER: Final = """
name = "face-embedder"
version = "1.0.0"
summary = "Turn a face into numbers that can be compared."
job = "EmbedFaces"
memory_mb = 1024
timeout_s = 60
image_mb = 100
function_per_model = true

[[access]]
bucket = "models"
keys = ["{model}/*"]
actions = ["read"]
engines = ["embedding"]
"""
FACES: Final = """
default = "facenet"

[engines.embedding.fields]
side = { type = "integer", minimum = 32, maximum = 512 }

[[engines.embedding.files]]
role = "network"
inputs = [{ shape = [1, 3, "{side}", "{side}"], fill = 0.5 }]
outputs = [{ shape = [1, 512] }]

[[models]]
name = "facenet"
summary = "For tests."
engine = "embedding"
licence = "MIT"
commercial = true
memory_mb = 1024
embedding = { side = 160 }

[[models.files]]
name = "facenet.onnx"
digest = "md5:00000000000000000000000000000000"

[[models]]
name = "facenet-large"
summary = "For tests."
engine = "embedding"
licence = "MIT"
commercial = true
memory_mb = 2048
fallback = "facenet"
embedding = { side = 224 }

[[models.files]]
name = "facenet-large.onnx"
digest = "md5:00000000000000000000000000000000"
"""
BESIDE: Final = '[[models.files]]\nurls = ["file:facenet.onnx"]\nname = "facenet.onnx"'
TINY: Final = """
[[models]]
name = "tiny"
summary = "For tests."
engine = "saliency"
licence = "MIT"
commercial = true
memory_mb = 512
saliency = { input_size = 64, scale = 1, mean = [0, 0, 0], std = [1, 1, 1], activation = "none" }

[[models.files]]
name = "tiny.onnx"
digest = "md5:00000000000000000000000000000000"
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The declarations of the repository, in a folder that a test may add to."""
    for folder in ("containers", "state_machines"):
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    contracts = Path("pipeline", "contracts")
    shutil.copytree(ROOT / contracts, tmp_path / contracts)
    return tmp_path


def add_container(tree: Path, manifest: str = FACE_FINDER, folder: str = "face_finder") -> None:
    path = tree / "containers" / folder / "container.toml"
    path.parent.mkdir()
    path.write_text(manifest)


def add_model(tree: Path, row: str) -> None:
    with (tree / "containers" / "background_remover" / "models.toml").open("a") as models:
        models.write(row)


def add_models(tree: Path, models: str = FACES) -> None:
    """A container with an engine and two rows of its own."""
    add_container(tree, FACE_EMBEDDER, "face_embedder")
    (tree / "containers" / "face_embedder" / "models.toml").write_text(models)


def read(tree: Path) -> Blueprint:
    return Blueprint.read(tree)


def functions(blueprint: Blueprint) -> dict[str, int]:
    return {each.name(NAMES): each.memory_mb for each in blueprint.functions}


def shipped_data(tree: Path) -> dict[str, set[str]]:
    """Folder → what its image holds, but for code."""
    paths = (tree / "containers").glob("*/requirements.txt")
    return {
        path.parent.name: {file.as_posix() for file in shipped_files(tree, path.parent.name)}
        for path in paths
    }


def test_a_new_folder_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_container(tree)

    assert functions(read(tree)) == before | {"matteline-local-face-finder": 1024}


def test_a_new_folder_is_one_more_placeholder(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_container(tree)

    assert read(tree).substitutions(NAMES) == before | {
        "FaceFinderArn": NAMES.function_arn("face-finder")
    }


def test_a_new_folder_leaves_the_machines_as_they_are(tree: Path) -> None:
    before = read(tree).machines(NAMES)

    add_container(tree)

    assert read(tree).machines(NAMES) == before


def test_a_new_folder_may_be_named_in_a_machine_at_once(tree: Path) -> None:
    add_container(tree)
    machine = tree / "state_machines" / "find-faces.asl.json"
    machine.write_text('{"Resource": "${FaceFinderArn}"}')

    assert NAMES.function_arn("face-finder") in read(tree).machines(NAMES)["find-faces"]


def test_a_new_row_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_model(tree, TINY)

    assert functions(read(tree)) == before | {"matteline-local-background-remover-tiny": 512}


def test_a_new_row_adds_no_placeholder(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_model(tree, TINY)

    assert read(tree).substitutions(NAMES) == before


def test_a_new_folder_with_models_is_a_function_for_each_of_them(tree: Path) -> None:
    before = functions(read(tree))

    add_models(tree)

    assert functions(read(tree)) == before | {
        "matteline-local-face-embedder-facenet": 1024,
        "matteline-local-face-embedder-facenet-large": 2048,
    }


def test_a_new_folder_with_models_is_a_placeholder_for_its_default(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_models(tree)

    assert read(tree).substitutions(NAMES) == before | {
        "FaceEmbedderArn": NAMES.function_arn("face-embedder"),
        "FaceEmbedderDefaultModel": "facenet",
    }


def test_a_deployment_chooses_a_default_for_each_container(tree: Path) -> None:
    add_models(tree)

    chosen = Blueprint.read(tree, defaults=("facenet-large", "starter"))

    assert chosen.catalogue.defaults == {
        "background-remover": "starter",
        "face-embedder": "facenet-large",
    }
    with pytest.raises(ValueError, match="background-remover has one default, not u2net and u2ne"):
        Blueprint.read(tree, defaults=("u2net", "u2netp"))
    with pytest.raises(UnknownModel, match="no model is called 'nobody'"):
        Blueprint.read(tree, defaults=("nobody",))


def test_the_downloaders_image_has_a_new_folders_rows_and_the_removers_has_not(tree: Path) -> None:
    before = shipped_data(tree)

    add_models(tree, FACES.replace('[[models.files]]\nname = "facenet.onnx"', BESIDE))
    (tree / "containers" / "face_embedder" / "facenet.onnx").touch()

    added = {name: shipped - before[name] for name, shipped in shipped_data(tree).items()}
    rows = "containers/face_embedder/models.toml"
    assert added == {
        "background_remover": set(),
        "edge_refiner": set(),
        "media_inspector": {rows},
        "model_downloader": {rows, "containers/face_embedder/facenet.onnx"},
    }


def test_a_name_may_be_given_once(tree: Path) -> None:
    add_models(tree, FACES.replace('"facenet"', '"u2net"'))

    says = r"face_embedder/models\.toml: .*background_remover/models\.toml has a row called u2net"
    with pytest.raises(ValueError, match=says):
        read(tree)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('default = "facenet"', 'default = "u2net"'), "face-embedder has no row called u2net"),
        (('fallback = "facenet"', 'fallback = "u2net"'), "row of another container: facenet-large"),
        (('engine = "embedding"', 'engine = "saliency"'), "face-embedder has no engine saliency"),
        (("engines.embedding", "engines.hashing"), "face-embedder has no engine embedding"),
        (('fallback = "f', 'container = "edge-refiner"\nfallback = "f'), "that of its folder"),
        (("{ side = 224", "{ size = 224"), r"(?m)^embedding\.size$"),
        (("{ side = 160 }", "{ side = 16 }"), r"(?m)^embedding\.side$"),
        (('"{side}"]', '"{size}"]'), "engine embedding has no such field: 'size'"),
    ],
)
def test_models_that_lean_on_another_container_or_on_nothing_are_refused(
    tree: Path, change: tuple[str, str], says: str
) -> None:
    add_models(tree, FACES.replace(*change))

    with pytest.raises(ValueError, match=says):
        read(tree)


def test_a_container_of_models_without_any_is_refused(tree: Path) -> None:
    add_container(tree, FACE_EMBEDDER, "face_embedder")

    with pytest.raises(ValueError, match="face-embedder has a function per model, and no models"):
        read(tree)


def test_access_for_an_engine_of_another_container_is_refused(tree: Path) -> None:
    add_models(tree)
    manifest = tree / "containers" / "face_embedder" / "container.toml"
    manifest.write_text(FACE_EMBEDDER.replace('["embedding"]', '["embedding", "sam"]'))

    with pytest.raises(ValueError, match="face-embedder gives access to no engine it has: sam"):
        read(tree)


def test_a_new_bucket_is_one_more_placeholder(tree: Path) -> None:
    with (tree / "state_machines" / "resources.toml").open("a") as resources:
        resources.write('\n[buckets.audio-books]\nsummary = "Read aloud."\n')

    assert read(tree).substitutions(NAMES)["AudioBooksBucket"] == "matteline-local-audio-books"


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
        pytest.param(FACE_FINDER.replace("job =", "task ="), "job", id="no-job"),
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
    ],
)
def test_a_wrong_manifest_is_refused_by_its_field(tree: Path, manifest: str, field: str) -> None:
    add_container(tree, manifest)

    with pytest.raises(ValueError, match=rf"(?m)^{field}$"):
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


@pytest.mark.parametrize(
    ("row", "field"),
    [
        pytest.param(TINY.replace("= 512", "= 64"), "memory_mb", id="too-little-memory"),
        pytest.param(TINY.replace('"tiny"', '"Tiny"'), "name", id="spelling"),
        pytest.param(TINY.replace("md5:0", "md5:"), r"files\.0\.digest", id="short-digest"),
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

    says = "tiny: background-remover has no engine oracle, but saliency, sam, bedrock"
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


def test_a_placeholder_nobody_declares_stops_the_deployment(tree: Path) -> None:
    (tree / "state_machines" / "lost.asl.json").write_text('{"Resource": "${NobodysArn}"}')

    with pytest.raises(KeyError, match="NobodysArn"):
        read(tree).machines(NAMES)
