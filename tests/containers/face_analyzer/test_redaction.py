from __future__ import annotations

import io
import tracemalloc
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from containers.face_analyzer import redaction
from containers.face_analyzer.redaction import hide, redact
from pipeline.contracts.faces import Box, Detection, Face, Redaction
from pipeline.photo.pixels import Photo, Pixels, decode, probe

BOX = Box(x=60, y=70, width=50, height=60)
INSIDE = np.s_[70:130, 60:110]
HOW: tuple[Redaction, ...] = get_args(Redaction)


def face(box: Box = BOX, landmarks: tuple[tuple[float, float], ...] = ()) -> Face:
    return Face(detection=Detection(box=box, score=0.9), landmarks=landmarks)


def grain(height: int = 200, width: int = 180, *, seed: int = 1) -> Pixels:
    """Draw large shapes with fine grain, as faces and everything have."""
    down, across = np.mgrid[:height, :width]
    shapes = 128 + 60 * np.sin(down / 17) * np.cos(across / 23)
    noise = np.random.default_rng(seed).normal(0, 25, (height, width, 3))
    pixels: Pixels = np.clip(shapes[..., None] + noise, 0, 255).astype(np.uint8)
    return pixels


def photo(rgb: Pixels, alpha: Pixels | None = None, profile: bytes | None = None) -> Photo:
    return Photo(rgb.copy(), alpha, profile, (300, 300))


def hidden(rgb: Pixels, how: Redaction, *faces: Face) -> Pixels:
    redacted = redact(photo(rgb), faces or [face()], how, media_type="image/png")
    return np.asarray(Image.open(io.BytesIO(redacted.content)))


def fine(pixels: Pixels, part: tuple[slice, slice] = INSIDE) -> npt.NDArray[np.float64]:
    """Return what a 3×3 mean leaves out: pores, lashes, the edges of eyes."""
    values = pixels.astype(np.float64)
    mean = sum(np.roll(values, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)) / 9
    detail: npt.NDArray[np.float64] = (values - mean)[part].ravel()
    return detail


@pytest.mark.parametrize("how", HOW)
def test_a_hidden_face_keeps_no_fine_structure(how: Redaction) -> None:
    rgb = grain()

    left = fine(hidden(rgb, how))

    assert abs(np.dot(left, fine(rgb))) <= 0.01 * np.dot(fine(rgb), fine(rgb))
    assert left.std() < 0.25 * fine(rgb).std()


@pytest.mark.parametrize("how", ["blur", "pixelate"])
def test_two_faces_that_differ_in_detail_only_differ_by_noise_when_hidden(how: Redaction) -> None:
    """The grains have the same means in each cell: what is left must not tell one from another."""
    results = [hidden(grain(seed=seed), how)[INSIDE].astype(int) for seed in range(12)]

    spread = np.std(results, axis=0).mean()
    assert spread > 8


def test_a_pixelated_region_has_few_cells_of_few_levels() -> None:
    """Sixteen cells at most, so that fewer than three cross the face itself."""
    inside = hidden(grain(), "pixelate")[INSIDE]

    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= 16
    assert set(np.unique(inside)) <= {*range(0, 256, 16), 255}


def test_blurring_shows_no_more_than_the_cells() -> None:
    """A wrong order, blurring the photo itself, fails here: cells are the only source."""
    blurred, pixelated = (hidden(grain(), how)[INSIDE] for how in ("blur", "pixelate"))
    middles = [blurred[y, x] for y in (11, 30, 49) for x in (8, 25, 42)]

    assert blurred.std(axis=(0, 1)).max() <= pixelated.std(axis=(0, 1)).max() + redaction._STEP
    assert len({tuple(middle) for middle in middles}) > 3


def test_a_large_face_is_hidden_as_well_as_a_small_one() -> None:
    """The number of cells follows the face: a fixed radius would leave a large face as it is."""
    large = Box(x=100, y=100, width=1000, height=1000)
    inside = hidden(grain(1400, 1300), "pixelate", face(large))[100:1100, 100:1100]

    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= 16


def test_a_covered_face_is_black_from_hair_line_to_chin() -> None:
    covered = hidden(np.full((200, 180, 3), 200, np.uint8), "cover")

    assert (covered[INSIDE] == 0).all()
    assert (covered[58:142, 85] == 0).all()  # a fifth of the box beyond its top and bottom
    assert (covered[100, 48:122] == 0).all()


@pytest.mark.parametrize("how", HOW)
def test_pixels_outside_the_ellipse_are_the_photos_own(how: Redaction) -> None:
    rgb = grain()
    result = hidden(rgb, how)

    changed = (result != rgb).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 54
    assert rows.max() <= 145
    assert columns.min() >= 44
    assert columns.max() <= 125
    assert not changed[54:62, 44:56].any()  # an ellipse, not its box


def test_the_edge_is_soft() -> None:
    """Brightness falls in steps along a row from outside to the covered face."""
    row = hidden(np.full((200, 180, 3), 200, np.uint8), "cover")[100, 44:49, 0].astype(int)

    assert (np.diff(row) <= 0).all()
    assert len(set(row)) >= 4


@pytest.mark.parametrize("how", HOW)
def test_a_face_is_hidden_up_to_the_edge_of_the_photo(how: Redaction) -> None:
    rgb = grain()
    corner = face(Box(x=-20, y=-30, width=60, height=60))

    result = hidden(rgb, how, corner)

    assert abs(np.dot(fine(result, np.s_[1:30, 1:40]), fine(rgb, np.s_[1:30, 1:40]))) < 0.02 * (
        np.dot(fine(rgb, np.s_[1:30, 1:40]), fine(rgb, np.s_[1:30, 1:40]))
    )


def test_a_box_outside_the_photo_changes_nothing() -> None:
    rgb = grain()

    assert (hidden(rgb, "blur", face(Box(x=-500, y=10, width=50, height=50))) == rgb).all()


def test_a_chin_that_the_box_leaves_out_is_hidden_by_its_landmarks() -> None:
    white = np.full((200, 180, 3), 200, np.uint8)
    chin = face(landmarks=((85, 155), (70, 90), (100, 90), (85, 100), (85, 130)))

    assert hidden(white, "cover")[156, 85, 0] > 0
    assert (hidden(white, "cover", chin)[130:165, 85] == 0).all()


def test_a_wild_landmark_does_not_cover_the_photo() -> None:
    white = np.full((200, 180, 3), 200, np.uint8)
    wild = face(landmarks=((9000, -9000), (85, 90)))

    assert (hidden(white, "cover", wild)[170:, :40] == 200).all()


@pytest.mark.parametrize("how", HOW)
def test_a_neighbours_soft_edge_brings_nothing_back(how: Redaction) -> None:
    """The second face is drawn on what the first one left."""
    rgb, beside = grain(), face(Box(x=115, y=70, width=50, height=60))

    left = fine(hidden(rgb, how, face(), beside))

    assert abs(np.dot(left, fine(rgb))) <= 0.02 * np.dot(fine(rgb), fine(rgb))


@pytest.mark.parametrize("how", HOW)
def test_a_second_attempt_gives_the_same_bytes(how: Redaction) -> None:
    """So a retried task writes one file, and many redactions of a photo have no average."""
    one, two = (
        redact(photo(grain()), [face()], how, media_type="image/jpeg").content for _ in "ab"
    )
    assert one == two


def test_a_jpeg_keeps_its_profile_and_resolution_and_no_other_metadata() -> None:
    """A thumbnail in EXIF would show the face, and a position where it was."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010E] = "the face of a secret person"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    Image.fromarray(grain()).save(
        buffer, "JPEG", exif=exif, icc_profile=profile, dpi=(300, 300), comment=b"secret",
        xmp=b"<secret/>",
    )  # fmt: skip

    result = redact(decode(buffer.getvalue()), [face()], "blur", media_type="image/jpeg")

    assert (result.media_type, result.extension) == ("image/jpeg", ".jpg")
    assert b"secret" in buffer.getvalue()
    assert b"secret" not in result.content
    image = Image.open(io.BytesIO(result.content))
    assert image.info["icc_profile"] == profile
    assert image.info["dpi"] == (300, 300)
    assert not image.getexif()


def test_a_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(grain(100, 200)).save(buffer, "JPEG", exif=exif)

    result = redact(decode(buffer.getvalue()), [], "blur", media_type="image/jpeg")

    assert Image.open(io.BytesIO(result.content)).size == (100, 200)


def test_a_png_keeps_its_alpha_and_loses_colours_that_nobody_sees() -> None:
    """Below full transparency a face may be stored that no viewer, and no detector, sees."""
    rgb, alpha = grain(), np.full((200, 180), 130, np.uint8)
    alpha[:20] = 0

    result = redact(photo(rgb, alpha), [face()], "cover", media_type="image/png")

    pixels = np.asarray(Image.open(io.BytesIO(result.content)))
    assert (result.media_type, result.extension) == ("image/png", ".png")
    assert (pixels[..., 3] == alpha).all()
    assert (pixels[:20, :, :3] == 0).all()
    assert (pixels[20:40, :, :3] == rgb[20:40]).all()
    assert (pixels[INSIDE][..., :3] == 0).all()


@pytest.mark.parametrize("how", HOW)
def test_a_face_that_is_in_the_alpha_of_a_png_is_hidden(how: Redaction) -> None:
    """Black ink of more and less opacity is a picture as well, and its colours say nothing."""
    rgb, alpha = np.zeros((200, 180, 3), np.uint8), grain()[..., 0].copy()
    before = fine(255 - np.repeat(alpha[..., None], 3, axis=2))

    result = redact(photo(rgb, alpha), [face()], how, media_type="image/png")

    page = Image.new("RGBA", (180, 200), "white")
    page.alpha_composite(Image.open(io.BytesIO(result.content)))
    after = fine(np.asarray(page.convert("RGB")))
    assert abs(np.dot(after, before)) <= 0.01 * np.dot(before, before)


@pytest.mark.parametrize("how", ["blur", "pixelate"])
def test_what_surrounds_a_face_cut_out_stays_transparent_and_its_colour_stays(
    how: Redaction,
) -> None:
    rgb, alpha = np.full((200, 180, 3), 160, np.uint8), np.full((200, 180), 255, np.uint8)
    alpha[:100] = 0
    whole = Box(x=-30, y=-30, width=240, height=260)

    result = redact(photo(rgb, alpha), [face(whole)], how, media_type="image/png")

    pixels = np.asarray(Image.open(io.BytesIO(result.content)))
    assert (pixels[:2, :2, 3] == 0).all()
    assert (pixels[-2:, -2:, 3] == 255).all()
    assert pixels[-2:, :, :3].min() > 90  # transparent pixels are black, and do not count


def test_colours_that_are_too_faint_to_be_seen_are_lost() -> None:
    rgb, alpha = grain(), np.full((200, 180), 3, np.uint8)

    result = redact(photo(rgb, alpha), [], "blur", media_type="image/png")

    assert (np.asarray(Image.open(io.BytesIO(result.content)))[..., :3] == 0).all()


def test_a_transparent_webp_becomes_a_jpeg_on_white() -> None:
    rgb, alpha = grain(), np.zeros((200, 180), np.uint8)

    result = redact(photo(rgb, alpha), [], "cover", media_type="image/webp")

    assert np.asarray(Image.open(io.BytesIO(result.content))).min() > 250


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP", "MPO", "AVIF"])
def test_of_several_pictures_in_a_file_only_the_first_is_in_the_copy(kind: str) -> None:
    """Faces are looked for in that one; in the others nothing would be hidden."""
    first, second = (Image.fromarray(grain(seed=seed)) for seed in (1, 2))
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=[second])
    content = buffer.getvalue()

    result = redact(decode(content), [face()], "blur", media_type=probe(content).media_type)

    image = Image.open(io.BytesIO(result.content))
    difference = np.asarray(image.convert("RGB")).astype(float) - np.asarray(first)
    assert getattr(image, "n_frames", 1) == 1
    assert image.size == (180, 200)
    assert abs(difference[:40]).mean() < 20
    assert len(result.content) < 1.1 * len(redact_alone(first))


def redact_alone(picture: Image.Image) -> bytes:
    return redact(photo(np.asarray(picture)), [face()], "blur", media_type="image/png").content


def test_sixteen_bits_become_eight() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((200, 180), 40_000, np.uint16)).save(buffer, "PNG")

    result = redact(decode(buffer.getvalue()), [face()], "cover", media_type="image/png")

    image = Image.open(io.BytesIO(result.content))
    assert image.mode == "RGB"
    assert image.getpixel((0, 0)) == (156, 156, 156)


def test_a_face_as_large_as_the_photo_needs_little_memory() -> None:
    """Regions are worked on in strips: 16 megapixels in floating point would be 192 MB."""
    rgb = np.zeros((4000, 4000, 3), np.uint8)
    tracemalloc.start()
    hide(rgb, face(Box(x=0, y=0, width=4000, height=4000)), "blur")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 24 * 2**20


@settings(max_examples=60)
@given(
    x=st.floats(-300, 300), y=st.floats(-300, 300),
    width=st.floats(-5, 600), height=st.floats(-5, 600), how=st.sampled_from(HOW),
)  # fmt: skip
def test_any_box_is_hidden_or_outside(
    x: float, y: float, width: float, height: float, how: Redaction
) -> None:
    """The pixels of the box's middle are never left as they were, wherever the box lies."""
    rgb = np.full((40, 60, 3), 201, np.uint8)
    hide(rgb, face(Box(x=x, y=y, width=width, height=height)), how)

    middle = int(np.floor(y + max(height, 1) / 2)), int(np.floor(x + max(width, 1) / 2))
    if 0 <= middle[0] < 40 and 0 <= middle[1] < 60:
        assert (rgb[middle] != 201).all()
