"""Select the files of a container's image: what its handler and self-test import, rows, data.

Python files among the data bring what they import. The manifest's data includes the golden event.
The image contains no other files of the repository. Its build runs this module, with the standard
library only, to copy them; a release compares their digest.
"""

from __future__ import annotations

import ast
import compileall
import hashlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, Final

PACKAGES: Final = ("pipeline", "containers")
ENTRIES: Final = ("handler", "selftest")
PLATFORM_ENTRIES: Final = ("pipeline.serving", "pipeline.selftest")
JOB_ENTRY: Final = "pipeline.batch_job"
UNCHECKED: Final = PycInvalidationMode.UNCHECKED_HASH
DOCKERFILE: Final = Path("containers/Dockerfile")


def shipped_files(root: Path, folder: str) -> tuple[Path, ...]:
    """Return the repository files in the image of `containers/<folder>`, relative to `root`.

    Raises ValueError if a pattern of the manifest's `data` matches no file.
    """
    container = Path("containers", folder)
    data = {*_data(root, container)}
    read = [".".join(path.with_suffix("").parts) for path in data if path.suffix == ".py"]
    own = [f"containers.{folder}.{entry}" for entry in ENTRIES]
    jobs = [JOB_ENTRY] if "batch" in _manifest(root / container) else []
    entries = [*PLATFORM_ENTRIES, *jobs, *own, *read]
    code = {path.relative_to(root) for path in import_closure(root, entries)}
    return tuple(sorted({*code, container / "container.toml", *_models(root, container), *data}))


def content_digest(root: Path, folder: str) -> str:
    """Return the SHA-256 of its images' content: shipped files, package locks, Dockerfile."""
    total = hashlib.sha256()
    locks = {path.relative_to(root) for path in locks_of(root, folder)}
    for path in sorted({*shipped_files(root, folder), *locks, DOCKERFILE}):
        content = hashlib.sha256((root / path).read_bytes()).hexdigest()
        total.update(f"{content}  {path.as_posix()}\n".encode())
    return total.hexdigest()


def locks_of(root: Path, folder: str) -> list[Path]:
    """Return the package locks of a container's image, and of its GPU image if it has one."""
    return sorted((root / "containers" / folder).glob("requirements*.txt"))


def lay_out(root: Path, folder: str, target: Path) -> None:
    """Copy the files to `target` and compile them: at run time the image is read-only."""
    for path in shipped_files(root, folder):
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, copy)
    compileall.compile_dir(target, quiet=1, invalidation_mode=UNCHECKED)


def require_within_budget(root: Path, folder: str, added: list[Path], *, gpu: bool = False) -> str:
    """Return a sentence on the size of the `added` folders, in MB.

    Raises ValueError, with the largest parts, if the size is above the manifest's `image_mb`, or
    above `gpu_image_mb` for a GPU image.
    """
    manifest = _manifest(root / "containers" / folder)
    limit = "gpu_image_mb" if gpu else "image_mb"
    allowed = manifest["batch"][limit] if gpu else manifest[limit]
    used = sum(map(_megabytes, added))
    if used > allowed:
        parts = [part for place in added for part in _parts(place)]
        largest = sorted(parts, key=_megabytes, reverse=True)[:8]
        listed = "\n".join(f"{_megabytes(part):8.1f} MB  {part}" for part in largest)
        raise ValueError(
            f"{folder} adds {used:.1f} MB to its base image; {limit} allows {allowed}\n{listed}"
        )
    return f"{folder} adds {used:.1f} MB to its base image, of {allowed} MB allowed"


def import_closure(root: Path, entries: list[str]) -> set[Path]:
    """Return the files of all modules that the entries import, directly or not.

    Imports inside functions count.
    """
    ahead, seen = [path for entry in entries for path in _files(root, entry)], set[Path]()
    while ahead:
        path = ahead.pop()
        if path not in seen:
            seen.add(path)
            ahead += [file for name in _names(path) for file in _files(root, name)]
    return seen


def _names(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, and those named in a text, to be started with `-m`."""
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Constant(value=str(text)) if text.startswith("containers."):
                yield f"{text}.__main__"


def _files(root: Path, name: str) -> Iterator[Path]:
    """Yield the files that run when a dotted name is imported: its packages, then the module."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:length])
        found = (place / "__init__.py", place.with_suffix(".py"))
        yield from (path for path in found if path.is_file())


def _models(root: Path, container: Path) -> Iterator[Path]:
    """Yield the files of model rows it reads, and their `file:` weights if it stages weights."""
    manifest = _manifest(root / container)
    own_or_all = "containers/*" if manifest.get("catalogue") == "all" else container.as_posix()
    for path in root.glob(f"{own_or_all}/models.toml"):
        yield path.relative_to(root)
        if manifest.get("reads_sources"):
            yield from (file.relative_to(root) for file in _beside(path))


def _beside(models: Path) -> Iterator[Path]:
    """Yield the files whose addresses are relative to their catalogue, as `file:starter.onnx`."""
    for row in tomllib.loads(models.read_text(encoding="utf-8"))["models"]:
        for url in (url for file in row.get("files", []) for url in file.get("urls", [])):
            scheme, _, path = url.partition(":")
            if scheme == "file" and not path.startswith("/"):
                yield models.parent / path


def _data(root: Path, container: Path) -> Iterator[Path]:
    """List the golden event's files, and those that the manifest's `data` names."""
    golden = (root / container / "golden").rglob("*")
    yield from (path.relative_to(root) for path in golden if path.is_file())
    for pattern in _manifest(root / container).get("data", []):
        found = [path.relative_to(root) for path in root.glob(pattern) if path.is_file()]
        if not found:
            raise ValueError(f"{container}/container.toml: data {pattern!r} matches no file")
        yield from found


def _manifest(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "container.toml").read_text(encoding="utf-8"))


def _parts(place: Path) -> list[Path]:
    """Return the installed packages below `place`, else its entries, to compare their sizes."""
    packages = list(place.glob("lib/python*/site-packages/*"))
    return packages or list(place.iterdir())


def _megabytes(place: Path) -> float:
    files = [place, *place.rglob("*")]
    return sum(path.lstat().st_size for path in files if not path.is_dir()) / 1e6


def main(folder: str, packages: str, target: str, gpu: str = "") -> None:
    """Copy one container's files to `target`, and check the size of files and `packages`.

    `gpu` is 1 for the GPU image.
    """
    root = Path.cwd()
    lay_out(root, folder, Path(target))
    added = [Path(packages), Path(target)]
    sys.stdout.write(require_within_budget(root, folder, added, gpu=gpu == "1") + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
