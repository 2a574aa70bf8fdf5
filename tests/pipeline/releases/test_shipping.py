"""An image holds what its entries import, and the data of its manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.releases.shipping import content_digest, lay_out, require_within_budget, shipped_files

TREE = {
    "pipeline/__init__.py": "",
    "pipeline/serving.py": "import sys",
    "pipeline/batch_job.py": "import sys",
    "pipeline/words.py": "import numpy",
    "pipeline/late.py": "",
    "pipeline/unused.py": "",
    "containers/Dockerfile": "FROM python",
    "containers/__init__.py": "",
    "containers/greeter/__init__.py": "",
    "containers/greeter/handler.py": "from pipeline.words import hello\n",
    "containers/greeter/selftest.py": "def check():\n    from pipeline import late",
    "containers/greeter/container.toml": 'image_mb = 1\ndata = ["containers/*/words.toml"]',
    "containers/greeter/requirements.txt": "numpy==2",
    "containers/greeter/README.md": "",
    "containers/greeter/words.toml": "",
    "containers/greeter/golden/golden.toml": "",
    "containers/teller/golden/golden.toml": "",
    "containers/greeter/models.toml": 'models = [{ files = [{ urls = ["file:own.bin"] }] }]',
    "containers/greeter/own.bin": "",
    "containers/teller/models.toml": """models = [{ files = [{ urls = [
        "https://example.com/a.bin", "file:weights/b.bin", "file:/elsewhere/c.bin",
    ] }] }, {}]""",
    "containers/teller/weights/b.bin": "",
    "containers/teller/__init__.py": "",
    "containers/teller/words.toml": "",
    "containers/teller/handler.py": "",
    "containers/greeter/apart/__init__.py": "",
    "containers/greeter/apart/__main__.py": "import pipeline.words",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def shipped(tree: Path) -> list[str]:
    return [path.as_posix() for path in shipped_files(tree, "greeter")]


def test_imported_modules_are_shipped_with_manifest_data_and_golden_event(tree: Path) -> None:
    assert shipped(tree) == [
        "containers/__init__.py",
        "containers/greeter/__init__.py",
        "containers/greeter/container.toml",
        "containers/greeter/golden/golden.toml",
        "containers/greeter/handler.py",
        "containers/greeter/models.toml",
        "containers/greeter/selftest.py",
        "containers/greeter/words.toml",
        "containers/teller/words.toml",
        "pipeline/__init__.py",
        "pipeline/late.py",
        "pipeline/serving.py",
        "pipeline/words.py",
    ]


def manifest(tree: Path, text: str) -> None:
    (tree / "containers/greeter/container.toml").write_text(f"image_mb = 1\n{text}")


def test_the_entry_point_of_jobs_is_in_images_whose_models_run_on_batch_only(tree: Path) -> None:
    assert "pipeline/batch_job.py" not in shipped(tree)

    manifest(tree, "[batch]")

    assert "pipeline/batch_job.py" in shipped(tree)


def test_a_container_that_reads_all_models_has_every_containers(tree: Path) -> None:
    manifest(tree, 'catalogue = "all"')

    data = {name for name in shipped(tree) if not name.endswith(".py")}

    assert data == {
        "containers/greeter/container.toml",
        "containers/greeter/golden/golden.toml",
        "containers/greeter/models.toml",
        "containers/teller/models.toml",
    }


def test_one_that_stages_them_has_the_weights_beside_them_too(tree: Path) -> None:
    manifest(tree, 'catalogue = "all"')
    before = shipped(tree)

    manifest(tree, 'catalogue = "all"\nreads_sources = true')

    assert sorted({*shipped(tree)} - {*before}) == [
        "containers/greeter/own.bin",
        "containers/teller/weights/b.bin",
    ]


def test_a_row_of_another_container_changes_nothing(tree: Path) -> None:
    before = content_digest(tree, "greeter")

    (tree / "containers/teller/models.toml").write_text("models = []")

    assert content_digest(tree, "greeter") == before


def test_a_module_started_by_its_name_is_shipped(tree: Path) -> None:
    handler = tree / "containers/greeter/handler.py"
    before = shipped(tree)

    handler.write_text(f'{handler.read_text()}MODULE = "containers.greeter.apart"\n')

    assert sorted({*shipped(tree)} - {*before}) == [
        "containers/greeter/apart/__init__.py",
        "containers/greeter/apart/__main__.py",
    ]


def test_a_data_pattern_without_files_is_named(tree: Path) -> None:
    (tree / "containers/greeter/container.toml").write_text('data = ["containers/*/gone.toml"]')

    with pytest.raises(ValueError, match=r"greeter/container.toml: data 'containers/\*/gone.toml'"):
        shipped(tree)


@pytest.mark.parametrize(
    "name",
    [
        "containers/greeter/handler.py",
        "containers/greeter/requirements.txt",
        "containers/teller/words.toml",
        "containers/Dockerfile",
        "pipeline/late.py",
    ],
)
def test_everything_in_the_image_changes_its_digest(tree: Path, name: str) -> None:
    before = content_digest(tree, "greeter")

    (tree / name).write_text(f"{TREE[name]}\n# more\n")

    assert content_digest(tree, "greeter") != before


def test_the_lock_of_a_gpu_image_changes_the_digest(tree: Path) -> None:
    before = content_digest(tree, "greeter")

    (tree / "containers/greeter/requirements-gpu.txt").write_text("onnxruntime-gpu==1")

    assert content_digest(tree, "greeter") != before


@pytest.mark.parametrize("name", ["pipeline/unused.py", "containers/greeter/README.md"])
def test_other_files_do_not_change_the_digest(tree: Path, name: str) -> None:
    before = content_digest(tree, "greeter")

    (tree / name).write_text("more")

    assert content_digest(tree, "greeter") == before


def test_the_laid_out_tree_is_compiled(tree: Path, tmp_path: Path) -> None:
    lay_out(tree, "greeter", tmp_path / "out")

    assert (tmp_path / "out/pipeline/late.py").is_file()
    assert not (tmp_path / "out/pipeline/unused.py").exists()
    assert len(list((tmp_path / "out/pipeline/__pycache__").glob("late.*.pyc"))) == 1


def test_an_image_above_its_budget_fails_with_its_largest_parts(tree: Path, tmp_path: Path) -> None:
    packages = tmp_path / "python" / "lib" / "python3.13" / "site-packages"
    for name, kilobytes in {"heavy": 900, "light": 200}.items():
        (packages / name).mkdir(parents=True)
        (packages / name / "data").write_bytes(bytes(kilobytes * 1000))

    with pytest.raises(ValueError, match=r"greeter adds 1\.1 MB .* allows 1\n +0\.9 MB .*heavy"):
        require_within_budget(tree, "greeter", [tmp_path / "python"])

    (packages / "light" / "data").unlink()
    assert "0.9 MB" in require_within_budget(tree, "greeter", [tmp_path / "python"])


def test_a_gpu_image_has_a_budget_of_its_own(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "data").write_bytes(bytes(1_900_000))
    manifest = tree / "containers/greeter/container.toml"
    manifest.write_text(f"{manifest.read_text()}\n[batch]\ngpu_image_mb = 2\n")

    assert "of 2 MB" in require_within_budget(tree, "greeter", [tmp_path / "python"], gpu=True)
    with pytest.raises(ValueError, match="image_mb allows 1"):
        require_within_budget(tree, "greeter", [tmp_path / "python"])
