"""What an image holds is what its container imports and reads: no more, no less."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import grimp
import pytest

from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.releases.shipping import shipped_files
from tests.contracts.declared import ROOT
from tests.contracts.requirements import Pin, read_lock

CONTAINERS: Final = load_containers(ROOT)
EACH = pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.name)
NEVER: Final = re.compile(
    r"(^|/)(tests|local|cli|__main__\.py|README\.md|requirements\.\w+|training\.py)(/|$)"
)
STARTED_BY_NAME: Final = {
    "model-downloader": {
        Path("containers/model_downloader/optimisation/__main__.py"),
        Path("containers/model_downloader/sessions/__main__.py"),
    }
}
ARM64_ONNXRUNTIME: Final = (1, 26)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pipeline", "containers", cache_dir=None)


def module_file(module: str) -> Path:
    place = Path(*module.split("."))
    package = place / "__init__.py"
    return package if (ROOT / package).exists() else place.with_suffix(".py")


def build_context(path: Path) -> bool:
    """Return True if `.dockerignore` lets a file into the build: its last matching line decides."""
    inside = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?")
            if re.match(rf"{pattern.replace(chr(92) + '*', '[^/]*')}(/|$)", path.as_posix()):
                inside = line.startswith("!")
    return inside


@EACH
def test_what_is_shipped_is_in_the_build(container: ContainerManifest) -> None:
    assert [path for path in shipped_files(ROOT, container.folder) if not build_context(path)] == []


@EACH
def test_the_code_is_what_a_second_reader_of_imports_finds(
    container: ContainerManifest, graph: grimp.ImportGraph
) -> None:
    entries = ["pipeline.serving", *(f"containers.{container.folder}.{name}"
               for name in ("handler", "selftest"))]  # fmt: skip
    if container.batch:
        entries.append("pipeline.batch_job")
    if container.name in STARTED_BY_NAME:
        entries.append("containers.model_downloader.optimisation.__main__")
        entries.append("containers.model_downloader.sessions.__main__")
    read = {path.relative_to(ROOT) for pattern in container.data for path in ROOT.glob(pattern)}
    entries += [
        ".".join(path.with_suffix("").parts)
        for path in read
        if path.suffix == ".py" and path.name != "__init__.py"
    ]
    modules = set(entries).union(*(graph.find_upstream_modules(entry) for entry in entries))
    parents = {name.rpartition(".")[0] for name in modules} | {"pipeline", "containers"}
    shipped = {path for path in shipped_files(ROOT, container.folder) if path.suffix == ".py"}

    assert shipped - read == {module_file(name) for name in modules | (parents - {""})} - read


@EACH
def test_tools_training_and_tests_stay_at_home(container: ContainerManifest) -> None:
    shipped = set(shipped_files(ROOT, container.folder)) - STARTED_BY_NAME.get(
        container.name, set()
    )

    assert [path for path in shipped if NEVER.search(path.as_posix())] == []


@EACH
def test_of_another_container_only_data_is_shipped(container: ContainerManifest) -> None:
    others = [
        path
        for path in shipped_files(ROOT, container.folder)
        if path.parts[0] == "containers" and len(path.parts) > 2
        if path.parts[1] != container.folder
    ]

    assert {path.suffix for path in others} <= {".toml", ".onnx"}


def test_the_downloader_has_every_file_that_a_row_names_beside_it() -> None:
    rows = load_catalogue(ROOT).rows
    named = {
        Path(unquote(urlsplit(url).path)).relative_to(ROOT)
        for row in rows
        for file in row.files
        for url in file.urls
        if url.startswith("file:")
    }

    assert named
    assert named <= set(shipped_files(ROOT, "model_downloader"))


@EACH
def test_a_container_runs_from_its_shipped_files_alone(
    container: ContainerManifest, tmp_path: Path
) -> None:
    for path in shipped_files(ROOT, container.folder):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)

    done = subprocess.run(
        [sys.executable, "-m", f"containers.{container.folder}.selftest"],
        cwd=tmp_path, env={"PATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert '"passed": true' in done.stdout.splitlines()[-1]


@EACH
def test_no_library_keeps_a_record_of_the_machine(
    container: ContainerManifest, tmp_path: Path
) -> None:
    module = f"containers.{container.folder}.selftest"
    where = {"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    subprocess.run(
        [sys.executable, "-m", module], env=where | container.environment,
        capture_output=True, check=True,
    )  # fmt: skip

    assert list(tmp_path.iterdir()) == []


def arm64_trap(container: ContainerManifest, lock: tuple[Pin, ...]) -> str | None:
    """Lambda's arm64 has no /sys/devices/system/cpu: onnxruntime before 1.26 aborts at import."""
    for pin in lock:
        version = tuple(int(part) for part in pin.version.split(".")[:2] if part.isdigit())
        if pin.name == "onnxruntime" and container.architecture == "arm64":
            return None if version >= ARM64_ONNXRUNTIME else f"{pin.version} aborts on arm64"
    return None


@EACH
def test_on_arm64_onnxruntime_is_one_that_starts_there(container: ContainerManifest) -> None:
    lock = read_lock(ROOT / "containers" / container.folder / "requirements.txt")

    assert arm64_trap(container, lock) is None


@pytest.mark.parametrize(
    ("architecture", "version", "found"),
    [
        ("arm64", "1.25.0", "1.25.0 aborts on arm64"),
        ("arm64", "1.26.0", None),
        ("arm64", "1.31.1", None),
        ("x86_64", "1.25.0", None),
    ],
)
def test_the_trap_is_seen(architecture: str, version: str, found: str | None) -> None:
    container = CONTAINERS[0].model_copy(update={"architecture": architecture})

    assert arm64_trap(container, (Pin("onnxruntime", version, frozenset()),)) == found
