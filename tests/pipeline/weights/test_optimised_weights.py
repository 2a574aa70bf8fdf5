"""The optimised network serves where it was made for this runtime; else the published one does."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.artifacts import LocalStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import WeightsMismatch, WeightsNotStaged
from pipeline.hardware import cpu_family
from pipeline.weights.local_weights import LocalFile, LocalWeights
from pipeline.weights.staged import (
    NamedArtifact,
    OptimisedNetwork,
    Proof,
    Runtime,
    StagedFile,
    StagedWeights,
)
from tests.models import PLAIN, REMOVER, SALIENCY

PUBLISHED = b"the published network"
LEAN = {"net.exact.onnx": b"the lean network", "net.exact.onnx.data": b"its weights"}
HERE = Runtime(onnxruntime="1.31.1", cpu="x86_64-avx512f")
PROOF = Proof(
    pictures=3, max_difference=5e-5, max_difference_allowed=1e-3,
    mask_error=1e-6, mask_error_allowed=1e-4,
)  # fmt: skip
GENEROUS = {"mask_error": 0.5, "mask_error_allowed": 1.0}
MANIFEST = Location("models", "net/manifest.json")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def row(digest: str) -> ModelRow:
    return ModelRow(
        name="net", summary="For tests.", container=REMOVER, engine=SALIENCY, licence="MIT",
        commercial=True, memory_mb=512, table=PLAIN,
        files=(WeightsFile(name="net.onnx", digest=digest),),
    )  # fmt: skip


DIGEST = f"sha256:{sha256(PUBLISHED)}"
MD5 = f"md5:{hashlib.md5(PUBLISHED, usedforsecurity=False).hexdigest()}"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def stage(
    store: LocalStore, *, digest: str = DIGEST, portable: bool = False, **changes: Any
) -> None:
    """Stage the published network with a lean one, some of whose facts are changed.

    A `portable` one of the same bytes comes second.
    """
    plain = store.write(Location("models", "net/net.onnx"), PUBLISHED, media_type="")
    files = tuple(
        NamedArtifact(
            name=name, artifact=store.write(Location("models", f"net/{name}"), text, media_type="")
        )
        for name, text in LEAN.items()
    )
    network = OptimisedNetwork(
        source_sha256=plain.sha256, runtime=HERE, precision="float32", rewrites={},
        proof=PROOF, files=files,
    ).model_copy(update=changes)  # fmt: skip
    anywhere = network.model_copy(update={"runtime": HERE.model_copy(update={"cpu": None})})
    networks = (network, anywhere) if portable else (network,)
    staged = StagedFile(
        name="net.onnx", digest=digest, source="s3://a/b", artifact=plain, optimised=networks
    )
    write(store, staged)


def write(store: LocalStore, staged: StagedFile) -> None:
    weights = StagedWeights(model="net", licence="MIT", files=(staged,))
    store.write(MANIFEST, weights.model_dump_json().encode(), media_type="")


def chosen(
    store: LocalStore, folder: Path, runtime: Runtime | None = HERE, *, digest: str = DIGEST
) -> LocalFile:
    (file,) = LocalWeights(store, folder).files(MANIFEST, row(digest), runtime)
    return file


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
def test_on_the_runtime_it_was_made_for_the_optimised_network_serves(
    store: LocalStore, tmp_path: Path, digest: str
) -> None:
    stage(store, digest=digest)

    file = chosen(store, tmp_path, digest=digest)

    assert file.path.read_bytes() == LEAN["net.exact.onnx"]
    assert file.path.with_name("net.exact.onnx.data").read_bytes() == LEAN["net.exact.onnx.data"]
    assert (file.sha256, file.optimised, file.remark) == (sha256(PUBLISHED), True, "optimised")


def test_what_is_loaded_has_a_checksum_of_its_own_which_its_data_change(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(store)
    published, lean = chosen(store, tmp_path, None), chosen(store, tmp_path)
    monkeypatch.setitem(LEAN, "net.exact.onnx.data", b"its weights in 8 bits")
    stage(store)
    coarse = chosen(store, tmp_path)

    assert published.loaded_sha256 == published.sha256 == lean.sha256 == coarse.sha256
    assert len({file.loaded_sha256 for file in (published, lean, coarse)}) == 3


def test_the_published_file_is_not_even_fetched_then(store: LocalStore, tmp_path: Path) -> None:
    stage(store)
    store._path(Location("models", "net/net.onnx")).unlink()

    assert chosen(store, tmp_path).optimised


@pytest.mark.parametrize(
    ("runtime", "reason"),
    [
        (Runtime(onnxruntime="1.32.0", cpu=HERE.cpu), "this is onnxruntime 1.32.0"),
        (Runtime(onnxruntime="1.31.1", cpu="x86_64-avx2"), "this is .* on x86_64-avx2"),
        (None, "this is None"),
        (Runtime(onnxruntime="1.31.1", cpu=None, gpu=True), "this is onnxruntime 1.31.1 on a GPU"),
    ],
    ids=["version", "cpu", "unknown", "gpu"],
)
def test_on_any_other_runtime_the_published_one_serves_and_says_why(
    store: LocalStore, tmp_path: Path, runtime: Runtime | None, reason: str
) -> None:
    stage(store)

    file = chosen(store, tmp_path, runtime)

    assert file.path.read_bytes() == PUBLISHED
    assert not file.optimised
    assert file.remark.startswith("published: ")
    assert re.search(reason, file.remark)


@pytest.mark.parametrize(
    ("precision", "content", "reason"),
    [
        pytest.param("float32", LEAN["net.exact.onnx"], "rewritten: ", id="32-bits"),
        pytest.param("int8-matmul", PUBLISHED, "published: ", id="8-bits"),
    ],
)
def test_a_gpu_loads_what_was_rewritten_for_all_cpus_in_32_bits(
    store: LocalStore, tmp_path: Path, precision: str, content: bytes, reason: str
) -> None:
    """Only so does a network as large as BiRefNet HR fit; products in 8 bits are laid for CPUs."""
    stage(store, precision=precision, portable=True)

    file = chosen(store, tmp_path, Runtime(onnxruntime="1.31.1", cpu=None, gpu=True))

    assert (file.path.read_bytes(), file.optimised) == (content, False)
    assert file.remark.startswith(reason)


def test_a_gpu_prefers_32_bits_to_8_as_published(store: LocalStore, tmp_path: Path) -> None:
    stage(store, precision="int8-matmul", portable=True)
    weights = StagedWeights.parse(store.read(MANIFEST), uri="")
    (file,) = weights.files
    exact = file.optimised[1].model_copy(update={"precision": "float32"})
    write(store, file.model_copy(update={"optimised": (*file.optimised, exact)}))

    loaded = chosen(store, tmp_path, Runtime(onnxruntime="1.31.1", cpu=None, gpu=True))

    assert loaded.path.read_bytes() == LEAN["net.exact.onnx"]


def on(flags: str) -> Runtime:
    """Return the runtime on an x86-64 CPU with these flags."""
    return Runtime(onnxruntime="1.31.1", cpu=cpu_family("x86_64", f"flags : sse2 avx2 {flags}"))


@pytest.mark.parametrize("made", ["avx_vnni", ""], ids=["with VNNI", "without"])
@pytest.mark.parametrize("here", ["avx_vnni", ""], ids=["with VNNI", "without"])
def test_8_bit_products_made_with_vnni_or_without_serve_both(
    store: LocalStore, tmp_path: Path, made: str, here: str
) -> None:
    stage(store, precision="int8-matmul", runtime=on(made))

    assert chosen(store, tmp_path, on(here)).optimised


def test_8_bit_products_serve_vectors_of_another_width_in_their_portable_form(
    store: LocalStore, tmp_path: Path
) -> None:
    stage(store, precision="int8-matmul", runtime=on("avx512f"), portable=True)

    file = chosen(store, tmp_path, on(""))

    assert file.path.read_bytes() == LEAN["net.exact.onnx"]
    assert not file.optimised
    assert file.remark.startswith("rewritten: ")


def test_8_bit_products_that_an_older_version_proved_for_vnni_alone_do_not_serve(
    store: LocalStore, tmp_path: Path
) -> None:
    older = Runtime(onnxruntime="1.31.1", cpu="x86_64-avx2-vnni")
    stage(store, precision="int8-matmul", runtime=older)

    assert chosen(store, tmp_path, on("avx_vnni")).path.read_bytes() == PUBLISHED


def test_on_another_cpu_a_portable_one_serves_and_is_laid_out_when_it_is_loaded(
    store: LocalStore, tmp_path: Path
) -> None:
    stage(store, portable=True)

    file = chosen(store, tmp_path, Runtime(onnxruntime="1.31.1", cpu="x86_64-avx2"))

    assert file.path.read_bytes() == LEAN["net.exact.onnx"]
    assert not file.optimised
    assert file.remark.startswith("rewritten: the optimised network was made for")


@pytest.mark.parametrize("runtime", [Runtime(onnxruntime="1.32.0", cpu=HERE.cpu), None])
def test_a_portable_one_still_wants_the_onnxruntime_it_was_proven_on(
    store: LocalStore, tmp_path: Path, runtime: Runtime | None
) -> None:
    stage(store, portable=True)

    assert chosen(store, tmp_path, runtime).path.read_bytes() == PUBLISHED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source_sha256": "0" * 64}, "made of other weights"),
        ({"proof": PROOF.model_copy(update={"max_difference": 2e-3})}, "proof does not hold"),
        ({"proof": PROOF.model_copy(update={"mask_error": 2e-4})}, "proof does not hold"),
        ({"proof": PROOF.model_copy(update=GENEROUS)}, "proof does not hold"),
    ],
)
def test_one_that_is_not_proven_of_these_weights_does_not_serve(
    store: LocalStore, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    stage(store, **changes)

    file = chosen(store, tmp_path)

    assert file.path.read_bytes() == PUBLISHED
    assert reason in file.remark


def test_a_manifest_of_another_digest_does_not_bring_its_optimised_network(
    store: LocalStore, tmp_path: Path
) -> None:
    stage(store, digest=f"md5:{'0' * 32}")

    file = chosen(store, tmp_path, digest=MD5)

    assert (file.path.read_bytes(), file.optimised) == (PUBLISHED, False)


def test_the_reason_there_is_none_is_the_stagings(store: LocalStore, tmp_path: Path) -> None:
    plain = store.write(Location("models", "net/net.onnx"), PUBLISHED, media_type="")
    common = {"name": "net.onnx", "digest": DIGEST, "source": "s3://a/b", "artifact": plain}
    write(store, StagedFile.model_validate(common | {"not_optimised": "optimising failed"}))

    assert chosen(store, tmp_path).remark == "published: optimising failed"


@pytest.mark.parametrize("name", list(LEAN))
def test_an_optimised_file_whose_bytes_changed_is_never_handed_out(
    store: LocalStore, tmp_path: Path, name: str
) -> None:
    stage(store)
    store.write(Location("models", f"net/{name}"), b"somebody else's", media_type="")

    folder = tmp_path / "local"

    with pytest.raises(WeightsMismatch, match="is not what its manifest says"):
        chosen(store, folder)
    assert not any(path.name == name for path in folder.rglob("*"))


def test_an_optimised_file_that_is_missing_is_not_staged(store: LocalStore, tmp_path: Path) -> None:
    stage(store)
    store._path(Location("models", "net/net.exact.onnx.data")).unlink()

    with pytest.raises(WeightsNotStaged, match=r"net\.exact\.onnx\.data is named by a manifest"):
        chosen(store, tmp_path)


def test_a_name_cannot_lead_out_of_its_folder() -> None:
    artifact = {"uri": "s3://models/k", "sha256": "0" * 64, "bytes": 1}

    with pytest.raises(ValueError, match="String should match"):
        NamedArtifact.model_validate({"name": "../victim", "artifact": artifact})


def test_a_row_that_asks_for_8_bits_is_staged_apart() -> None:
    plain = row(DIGEST)

    assert plain.model_copy(update={"quantise": "int8-matmul"}).weights_key != plain.weights_key
