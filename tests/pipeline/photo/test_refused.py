"""A file that is not read is called by its name, with what to do."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Final

import pytest
from PIL import Image

from pipeline.errors import UnsupportedMedia
from pipeline.photo.pixels import probe
from pipeline.photo.refused import CAMERA_RAW, name_of
from tests.pipeline.photo.pictures import FAITHFULLY, quadrants, saved

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OTHER_FILES: Final = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "Photoshop": b"8BPS\0\1" + bytes(6),
    "GIMP": b"gimp xcf v011\0",
    "JPEG XL": b"\xff\x0a\xfa\x1f",
    "JPEG XL ": b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ",
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ",
    "JPEG 2000 ": b"\xff\x4f\xff\x51\0\x2f",
    "DDS": b"DDS |\0\0\0",
    "icon": b"\0\0\1\0\1\0\x10\x10",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "SVG ": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="9">',
    "camera raw": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "camera raw ": b"FUJIFILMCCD-RAW 0201FF383501",
    "camera raw  ": b"FOVb\0\0\3\0",
    "camera raw   ": b"IIU\0\x18\0\0\0",
    "camera raw    ": b"IIRO\x08\0\0\0",
    "video .MP4.": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
    "video .MP4. ": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "video .MP4.  ": b"\0\0\0\x08wide\0\0\1\0mdat",
    "video .WebM": b"\x1aE\xdf\xa3\x01\0\0\0",
    "video .AVI": b"RIFF\x24\0\0\0AVI LIST",
    "audio .MP4.": b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42",
    "audio .WAV": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    "audio .MP3.": b"ID3\4\0\0\0\0\0\0",
    "audio .MP3. ": b"\xff\xfb\x90\x64",
    "audio .FLAC.": b"fLaC\0\0\0\x22",
    "audio or video .Ogg.": b"OggS\0\2",
    "unknown kind of MP4, HEIC or AVIF file": b"\0\0\0\x14ftypabcd\0\0\0\0abcd",
    "ZIP archive or Office": b"PK\x03\x04\x14\0\x06\0\x08\0",
    "archive": b"\x1f\x8b\x08\0\0\0",
    "Windows compound document, such as Thumbs.db": OLE + bytes(99),
    "folder settings of a Mac": b"\0\0\0\1Bud1\0\0",
    "program": b"MZ\x90\0\3\0",
    "program ": b"\x7fELF\2\1\1",
    "HTML page": b"\n<!DOCTYPE html><html>",
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "JSON": json.dumps({"photo": "cat.jpg"}, indent=2).encode(),
    "JSON ": b"[1, 2]",
    "UTF-16 text": "once upon".encode("utf-16"),
    "plain text": "once upon a time, naïve".encode(),
    "all of its bytes are zero": bytes(4096),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:",
    "quoted-printable text of a photo": b"=89PNG=0D=0A=1A",
    "uuencoded file": b"begin 644 cat.png\nMB5!.1PT*",
    "answer of a web server": b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG",
    "web form": b'------WebKitFormBoundary\r\nContent-Disposition: form-data; name="file"',
}


def as_utf_8(content: bytes) -> bytes:
    return content.decode(errors="replace").encode()


def as_latin_1(content: bytes) -> bytes:
    return content.decode("latin-1").encode()


def as_unix_text(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def as_windows_text(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_is_called_by_its_name(name: str) -> None:
    with pytest.raises(UnsupportedMedia, match=name.strip()):
        probe(OTHER_FILES[name])


def test_camera_raw_has_its_advice() -> None:
    assert name_of(OTHER_FILES["camera raw"]) == CAMERA_RAW


@pytest.mark.parametrize(
    ("picture_format", "name"), [("JPEG2000", "JPEG 2000"), ("ICO", "icon"), ("DDS", "DDS"),
                                 ("PDF", "PDF"), ("EPS", "PostScript"), ("PPM", "Netpbm")],
)  # fmt: skip
def test_what_pillow_writes_and_we_do_not_read_is_named(picture_format: str, name: str) -> None:
    buffer = io.BytesIO()
    quadrants().save(buffer, picture_format)

    with pytest.raises(UnsupportedMedia, match=name):
        probe(buffer.getvalue())


def test_an_office_document_is_named() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")

    assert name_of(buffer.getvalue()).startswith("ZIP archive or Office document")


@pytest.mark.parametrize("picture_format", FAITHFULLY)
@pytest.mark.parametrize("line", [0, 76])
def test_base64_of_a_photo_is_named(picture_format: str, line: int) -> None:
    content = saved(quadrants(), picture_format)
    text = base64.encodebytes(content) if line else base64.b64encode(content)
    quoted = b'"' + base64.b64encode(content) + b'"'

    for sent in (text, quoted, b"\r\n" + text, repr(base64.b64encode(content)).encode()):
        assert name_of(sent).startswith("base64 text of a ")
        assert name_of(sent).endswith(": decode it first")


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_a_data_url_is_named(picture_format: str) -> None:
    content = base64.b64encode(saved(quadrants(), picture_format))

    for head in (
        b"data:image/any;base64,",
        b'"DATA:image/any;charset=utf-8;base64,',
        b"data:;base64,",
    ):
        assert name_of(head + content) == "data: URL: decode the part after its comma"


@pytest.mark.parametrize("picture_format", [name for name in FAITHFULLY if name != "BMP"])
def test_hexadecimal_text_is_named(picture_format: str) -> None:
    content = saved(quadrants(), picture_format)

    for sent in (content.hex(), content.hex(" "), content.hex().upper(), f"0x{content.hex()}"):
        assert name_of(sent.encode()) == "hexadecimal text of a photo: decode it first"


MANGLED: Final = "text-mangled photo: upload it in binary mode"
PACKED: Final = ("JPEG", "PNG", "WEBP", "GIF", "HEIC", "AVIF")


def grainy(picture_format: str) -> bytes:
    return saved(Image.effect_noise((200, 200), 60).convert("RGB"), picture_format)


def with_byte_order_mark(content: bytes) -> bytes:
    return b"\xef\xbb\xbf" + content


def as_7_bits(content: bytes) -> bytes:
    return bytes(byte & 127 for byte in content)


@pytest.mark.parametrize("picture_format", FAITHFULLY)
@pytest.mark.parametrize("mangled", [as_utf_8, as_latin_1])
def test_a_photo_that_became_text_is_named(
    picture_format: str, mangled: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(UnsupportedMedia, match=MANGLED):
        probe(mangled(grainy(picture_format)))


@pytest.mark.parametrize("picture_format", PACKED)
def test_a_photo_with_other_ends_of_lines_is_named(picture_format: str) -> None:
    with pytest.raises(UnsupportedMedia, match=MANGLED):
        probe(as_windows_text(grainy(picture_format)))


@pytest.mark.parametrize(
    ("picture_format", "mangled"),
    [("PNG", as_unix_text), ("PNG", as_7_bits), ("JPEG", as_7_bits), ("GIF", as_7_bits),
     ("JPEG", with_byte_order_mark), ("PNG", with_byte_order_mark), ("GIF", with_byte_order_mark)],
)  # fmt: skip
def test_a_photo_that_went_through_a_text_is_named(
    picture_format: str, mangled: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(UnsupportedMedia, match=MANGLED):
        probe(mangled(grainy(picture_format)))


@pytest.mark.parametrize("picture_format", ["BMP", "TIFF"])
@pytest.mark.parametrize("colour", [(195, 169, 65), (65, 169, 195), (13, 10, 8), (65, 66, 67)])
def test_a_drawing_whose_bytes_could_be_a_text_is_read(
    picture_format: str, colour: tuple[int, int, int]
) -> None:
    image = Image.new("RGB", (64, 64), colour)
    image.paste((1, 2, 3), (16, 16, 48, 48))

    assert probe(saved(image, picture_format)).width == 64
