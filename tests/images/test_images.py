"""Each image holds exactly what its container needs and passes its self-test."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from pipeline.declared.containers import ContainerManifest
from pipeline.releases.images.sandbox import Sandbox
from pipeline.releases.shipping import require_within_budget, shipped_files
from tests.answers import Serve
from tests.conftest import ROOT
from tests.contracts.requirements import read_lock

pytestmark = pytest.mark.images
PYTHON = "/opt/python/bin/python"
LIBRARIES = "opt/python/lib/python3.13/site-packages"
# Parts of packages for people who build extensions or prepare models.
TOOLS = ["numpy/f2py", "numpy/_core/include"]
TOOLS += [f"onnxruntime/{name}" for name in ("quantization", "tools", "transformers")]
TOOLS += ["onnxruntime/capi/libonnxruntime.so.*"]  # for programs in C: Python's module has its own
THERE = {"python_full_version": "3.13.0", "sys_platform": "linux"}
WRITABLE = """
import os, tempfile
for folder, _, _ in os.walk('/'):
    if not folder.startswith(('/proc', '/tmp')):
        try:
            tempfile.TemporaryFile(dir=folder)
            print(folder)
        except OSError:
            pass
tempfile.TemporaryFile(dir='/tmp')
print('and /tmp')
"""
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 2)"


def inside(sandbox: Sandbox, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        sandbox.enter(command, **options),
        env=dict(sandbox.image.environment), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_self_test_passes_read_only_without_a_network(
    sandbox: Sandbox, container: ContainerManifest
) -> None:
    module = f"containers.{container.folder}.selftest"

    done = inside(sandbox, PYTHON, "-m", module, network=False)

    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert (verdict["selftest"], verdict["passed"]) == (container.name, True)
    assert len(verdict["seen"]) >= 3


def test_an_image_without_a_network_can_connect_to_nothing(sandbox: Sandbox, serve: Serve) -> None:
    call = CONNECT.format(port=serve(200))

    assert "ConnectionRefused" in inside(sandbox, PYTHON, "-c", call, network=False).stderr
    assert inside(sandbox, PYTHON, "-c", call).returncode == 0


def test_an_image_does_not_run_as_root(sandbox: Sandbox) -> None:
    done = inside(sandbox, PYTHON, "-c", "import os; print(os.getuid(), os.getgid())")

    assert done.stdout.split() == ["65532", "65532"]


def test_only_tmp_is_writable(sandbox: Sandbox) -> None:
    assert inside(sandbox, PYTHON, "-c", WRITABLE).stdout == "and /tmp\n"


def test_files_are_readable_by_all_and_writable_by_no_other_user(sandbox: Sandbox) -> None:
    """Lambda chooses its own user, regardless of the image's."""
    ours = [sandbox.root / "opt/python", sandbox.root / "var/task"]
    files = [path for place in ours for path in place.rglob("*") if not path.is_symlink()]
    modes = {path: path.stat().st_mode for path in files}

    assert [path for path, mode in modes.items() if not mode & stat.S_IROTH] == []
    assert [path for path, mode in modes.items() if mode & stat.S_IWOTH] == []


def test_labels_name_title_version_revision_and_base(
    sandbox: Sandbox, container: ContainerManifest
) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): text
        for name, text in sandbox.image.labels.items()
    }

    assert container.folder in labels["title"]
    assert labels["version"] == container.version
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels["revision"])
    assert re.fullmatch(r".+@sha256:[0-9a-f]{64}", labels["base.name"])


def test_an_image_holds_the_shipped_files_and_no_others(
    sandbox: Sandbox, container: ContainerManifest
) -> None:
    task = sandbox.root / "var/task"
    found = {path.relative_to(task) for path in task.rglob("*") if path.is_file()}
    sources = {path for path in found if path.suffix != ".pyc"}
    compiled = {path.with_name(f"{path.name.split('.')[0]}.py") for path in found - sources}

    assert sources == set(shipped_files(ROOT, container.folder))
    assert {path.parent.parent / path.name for path in compiled} == {
        path for path in sources if path.suffix == ".py"
    }


def test_an_image_installs_exactly_its_locked_packages(
    sandbox: Sandbox, container: ContainerManifest
) -> None:
    locked = {
        f"{pin.name}-{pin.version}"
        for pin in read_lock(ROOT / "containers" / container.folder / "requirements.txt")
        if not pin.marker or Marker(pin.marker).evaluate(THERE)
    }
    installed = {
        path.name.removesuffix(".dist-info").replace("_", "-").lower()
        for path in (sandbox.root / LIBRARIES).glob("*.dist-info")
    }

    assert installed == locked


def test_an_image_holds_no_installer_tests_or_build_traces(sandbox: Sandbox) -> None:
    unwanted = ["pip", "ensurepip", "setuptools", "tests"]
    places = [Path(LIBRARIES), Path("usr/lib/python3.13"), Path("usr/lib/python3/dist-packages")]
    found = [place / name for place in places for name in unwanted]

    assert [path for path in found if (sandbox.root / path).exists()] == []
    assert list((sandbox.root / LIBRARIES).rglob("tests")) == []
    assert [each for path in TOOLS for each in (sandbox.root / LIBRARIES).glob(path)] == []
    assert not (sandbox.root / "etc/pip.conf").exists()
    assert not (sandbox.root / "source").exists()
    assert list((sandbox.root / "tmp").iterdir()) == []


def test_an_image_keeps_to_its_size_budget(sandbox: Sandbox, container: ContainerManifest) -> None:
    added = [sandbox.root / "opt/python", sandbox.root / "var/task"]

    assert "of" in require_within_budget(ROOT, container.folder, added)
