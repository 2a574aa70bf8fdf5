"""Name the kind of a file that cannot be read, and say what to do about it.

Photos that were changed on their way (by a text editor, a form or a mail) are recognised too.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

CAMERA_RAW: Final = "camera raw: export it first as JPEG or TIFF"
_EXPORT: Final = "export it first as PNG or JPEG"
_VIDEO: Final = "save one of its pictures as JPEG"
_INSIDE: Final = "upload the photos in it"
_DECODE: Final = "decode it first"
MANGLED: Final = "text-mangled photo: upload it in binary mode"
_HEAD: Final = 1024  # bytes that are compared
_CHUNK: Final = 2**20
# What chance does not bring about: so many ends of lines, or characters, and no bytes besides.
_MOST_ENDS, _MOST_CHARACTERS = 16, 16
_REPLACED: Final = "\ufffd"  # what stands for bytes that are no text


class _Row(NamedTuple):
    pattern: re.Pattern[bytes]
    name: str


def _row(pattern: bytes, name: str, advice: str = "") -> _Row:
    """Return a row. Without advice, the error's own hint is enough: upload a photo."""
    return _Row(re.compile(pattern, re.DOTALL), f"{name}: {advice}" if advice else name)


def _raw(pattern: bytes) -> _Row:
    return _Row(re.compile(pattern, re.DOTALL), CAMERA_RAW)


# A byte order mark and white space may come before texts.
_TEXT: Final = rb"(?:\xef\xbb\xbf)?\s*"
_BASE64: Final = _TEXT + rb"""b?["']?"""

# The first row that matches the beginning of a file names it.
_ROWS: Final = (
    # Photos that were changed on their way.
    _Row(
        re.compile(
            rb"\xef\xbf\xbd(?:PNG|\xef\xbf\xbd)|(?:\xc2\x89|\xe2\x80\xb0)PNG|\xc3\xbf\xc3\x98\xc3\xbf|"
            rb"[\t?]?PNG\r?\n\x1a?\n|\?{3}.\0.(?:JFIF|Exif)|\x7fX\x7f.\0.(?:JFIF|Exif)|"
            rb"\x89PNG(?=.{4})(?!\r\n\x1a\n)|RIFF.{5,12}WEBPVP8|"
            rb"(?:\xef\xbb\xbf|\s+)(?:\x89PNG|\xff\xd8\xff|RIFF.{4}WEBP|GIF8[79]a|II\*\0|MM\0\*)",
            re.DOTALL,
        ),
        MANGLED,
    ),
    _row(_TEXT + rb"""["']?(?i:data:)(?:[\w.+-]+/[\w.+-]+)?[;,]""", "data: URL",
         "decode the part after its comma"),
    _row(_BASE64 + rb"[/_]9j[/_]", "base64 text of a JPEG", _DECODE),
    _row(_BASE64 + rb"iVBORw0KGgo", "base64 text of a PNG", _DECODE),
    _row(_BASE64 + rb"UklGR", "base64 text of a WebP", _DECODE),
    _row(_BASE64 + rb"R0lGOD[dl]h", "base64 text of a GIF", _DECODE),
    _row(_BASE64 + rb"(?:SUkqA|TU0AK)", "base64 text of a TIFF", _DECODE),
    _row(_BASE64 + rb"AAAA[A-Za-z0-9+/]{2}Z0eXB", "base64 text of a HEIC or AVIF", _DECODE),
    _row(_BASE64 + rb"Qk[0-3][A-Za-z0-9+/_-]{24}", "base64 text of a BMP", _DECODE),
    _row(_TEXT + rb"(?i:0x|\\x)?(?i:ff\W?d8\W?ff|89\W?50\W?4e\W?47|47\W?49\W?46\W?38|"
         rb"52\W?49\W?46\W?46|49\W?49\W?2a\W?00|4d\W?4d\W?00\W?2a|00\W?00\W?00\W?..\W?66\W?74\W?79)",
         "hexadecimal text of a photo", _DECODE),
    _row(rb"=89PNG|=FF=D8=FF", "quoted-printable text of a photo", _DECODE),
    _row(rb"begin [0-7]{3} ", "uuencoded file", _DECODE),
    _row(rb"HTTP/\d(?:\.\d)? \d{3}", "answer of a web server", "upload its body alone"),
    _row(rb"--[^\r\n]{1,200}\r\nContent-Disposition:", "web form", "upload the photo alone"),
    # Camera raw that is not TIFF.
    _raw(rb".{4}ftypcrx |FUJIFILMCCD-RAW|FOVb|IIU\0|IIR[OS]\x08\0|MMO[RS]|\0MRM|.{6}HEAPCCDR"),
    # Photos and drawings of other programs.
    _row(rb"%PDF-", "PDF", "export its page as PNG or JPEG"),
    _row(rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", _EXPORT),
    _row(rb"8BPS", "Photoshop document", _EXPORT),
    _row(rb"gimp xcf", "GIMP document", _EXPORT),
    _row(rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a", "JPEG XL", _EXPORT),
    _row(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", "JPEG 2000", _EXPORT),
    _row(rb"II\xbc\x01", "JPEG XR", _EXPORT),
    _row(rb"DDS ", "DDS texture", _EXPORT),
    _row(rb"\0\0[\x01\x02]\0[^\0]", "icon", _EXPORT),
    _row(rb"\x76\x2f\x31\x01", "OpenEXR", _EXPORT),
    _row(rb"#\?(?:RADIANCE|RGBE)", "Radiance HDR", _EXPORT),
    _row(rb"P[1-6]\s(?:#[^\n]*\n|\s)*\d|P7\nWIDTH", "Netpbm image", _EXPORT),
    _row(rb"qoif", "QOI image", _EXPORT),
    _row(rb"AT&TFORM", "DjVu document", _EXPORT),
    _row(rb".{40} EMF|\xd7\xcd\xc6\x9a", "Windows metafile", _EXPORT),
    _row(rb".{128}DICM", "DICOM image", _EXPORT),
    _row(rb"SIMPLE  =", "FITS image", _EXPORT),
    _row(_TEXT + rb"(?:<(?:\?xml|!--|!DOCTYPE svg).{0,900}?)?<svg[\s>]", "SVG drawing", _EXPORT),
    # Video and audio.
    _row(rb".{4}ftyp(?:M4[ABP]|F4A|mp4a)", "audio (MP4)"),
    _row(
        rb".{4}ftyp(?:3g|avc|dash|F4V|hvc1|iso|M4V|MSNV|mmp4|mp[47]|MSDH|NDS|qt  )|"
        rb"\0.{3}(?:moov|mdat|wide|pnot)",
        "video (MP4)", _VIDEO,
    ),
    _row(rb".{4}ftyp", "unknown kind of MP4, HEIC or AVIF file", _EXPORT),
    _row(rb"\x1aE\xdf\xa3", "video (WebM or Matroska)", _VIDEO),
    _row(rb"RIFF.{4}AVI ", "video (AVI)", _VIDEO),
    _row(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video (Windows Media)", _VIDEO),
    _row(rb"FLV\x01", "video (Flash)", _VIDEO),
    _row(rb"\0\0\x01[\xb3\xba]|G.{187}G.{187}G", "video (MPEG)", _VIDEO),
    _row(rb"RIFF.{4}WAVE|RF64|FORM.{4}AIF[FC]", "audio (WAV or AIFF)"),
    _row(rb"ID3|\xff[\xf2\xf3\xfa\xfb]", "audio (MP3)"),
    _row(rb"\xff[\xf0\xf1\xf8\xf9]", "audio (AAC)"),
    _row(rb"fLaC", "audio (FLAC)"),
    _row(rb"OggS", "audio or video (Ogg)"),
    _row(rb"MThd|#!AMR|caff", "audio"),
    # Archives, documents and programs.
    _row(rb"PK(?:\x03\x04|\x05\x06)", "ZIP archive or Office document", _INSIDE),
    _row(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf\x27\x1c|Rar!|\x28\xb5\x2f\xfd|.{257}ustar",
         "archive", _INSIDE),
    _row(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Windows compound document, such as Thumbs.db",
         "upload the photos themselves"),
    _row(rb"\0\0\0\x01Bud1", "folder settings of a Mac (.DS_Store)", "upload the photos"),
    _row(rb"\0\x05\x16[\0\x07]", "file notes of a Mac (._ file)", "upload the photo itself"),
    _row(rb"MZ.\0|\x7fELF|\xca\xfe\xba\xbe|[\xce\xcf]\xfa\xed\xfe", "program"),
    _row(rb"SQLite format 3\0", "database"),
    _row(rb"version https://git-lfs", "Git LFS pointer", "upload the file it stands for"),
    # Texts, the most special first.
    _row(_TEXT + rb"(?i:<(?:!doctype html|html|head|body|script))", "HTML page",
         "upload the photo it shows"),
    _row(_TEXT + rb"(?i:<\?xml|<error>|<!doctype)", "XML"),
    _row(_TEXT + rb"""[{\[]\s*["{\[\]}\d-]""", "JSON"),
    _row(rb"\xff\xfe|\xfe\xff", "UTF-16 text"),
)  # fmt: skip


def name_of(content: bytes) -> str:
    """Return the kind of a file that no photo format matches, and what to do about it."""
    if not content:
        return "the file is empty"
    if not content.lstrip(b"\0"):
        return "all of its bytes are zero: upload it again"
    head = content[:_HEAD]
    for pattern, name in _ROWS:
        if pattern.match(head):
            return name
    if _is_text(head):
        return "plain text"
    return f"not a supported photo format (first bytes {content[:8].hex(' ')})"


def is_mangled(content: bytes, *, packed: bool) -> bool:
    """Return True if a program took a photo for text, and changed its bytes.

    All of it is UTF-8 then, as no photo is. Of a `packed` format, whose bytes are as good as
    random, all of it may have been reduced to 7 bits, or each end of a line to two bytes.
    """
    if packed and len(content) > _HEAD and content.isascii():
        return True
    if packed and content.count(b"\n") == content.count(b"\r\n") >= _MOST_ENDS:
        return True
    decoder, seen = codecs.getincrementaldecoder("utf-8")(), set[str]()
    try:
        for start in range(0, len(content), _CHUNK):
            seen.update(decoder.decode(content[start : start + _CHUNK]))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    foreign = {character for character in seen if not character.isascii()}
    return _REPLACED in foreign or len(foreign) >= _MOST_CHARACTERS


def _is_text(head: bytes) -> bool:
    """Return True if these are printable characters in UTF-8; the last one may be cut."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)
