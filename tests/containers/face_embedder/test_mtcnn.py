"""MTCNN's three stages, with networks that find red squares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from containers.face_embedder import mtcnn
from containers.face_embedder.mtcnn import Mtcnn, find_faces
from containers.face_embedder.network import open_network
from containers.face_embedder.spec import Tensor
from tests.embedding_models import FIVE, MTCNN, Square, draw, networks

FACE = Square(60, 40, 100)


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Mtcnn:
    folder = tmp_path_factory.mktemp("nets")
    for name, content in networks("box").items():
        (folder / name).write_bytes(content)
    return Mtcnn(*(opened(folder / f"{name}.onnx") for name in MTCNN))


def opened(path: Path) -> mtcnn.Run:
    return open_network(path, optimised=False, memory="returned", threads=1)


@pytest.mark.parametrize("face", [FACE, Square(200, 130, 45), Square(10, 20, 180)])
def test_a_face_is_found_where_it_is(nets: Mtcnn, face: Square) -> None:
    """Its box, its score and its five points, in pixels of the photo."""
    (found,) = find_faces(draw(320, 240, face), nets)

    near = 2 + 0.02 * face.side  # pixels
    corners = [face.left, face.top, face.left + face.side, face.top + face.side]
    assert found.box == pytest.approx(corners, abs=near)
    assert found.score == pytest.approx(1, abs=0.01)
    points = [(face.left + x * face.side, face.top + y * face.side) for x, y in FIVE]
    assert found.points == pytest.approx(np.array(points), abs=near)


def test_the_score_is_the_last_network_s(nets: Mtcnn) -> None:
    """A dull face has a lower score."""
    (found,) = find_faces(draw(320, 240, Square(60, 40, 100, score=0.8)), nets)

    assert found.score == pytest.approx(0.8, abs=0.01)


def test_the_best_comes_first(nets: Mtcnn) -> None:
    """Faces are sorted by falling score, wherever they are."""
    faces = [Square(20, 20, 90, score=0.8), Square(180, 20, 90), Square(90, 140, 90, score=0.9)]

    found = find_faces(draw(320, 250, *faces), nets)

    assert [round(each.score, 1) for each in found] == [1.0, 0.9, 0.8]


@pytest.mark.parametrize(("width", "height"), [(320, 240), (20, 20), (19, 400), (1, 1), (700, 21)])
def test_a_photo_without_faces_is_an_empty_list(nets: Mtcnn, width: int, height: int) -> None:
    """Of any size, even too small for a face."""
    assert find_faces(draw(width, height), nets) == []


@pytest.mark.parametrize("pixels", [1, 4000, 30_000])
def test_strips_change_nothing(nets: Mtcnn, pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first network answers the same for strips as for the whole, also for odd sizes."""
    photo = draw(331, 247, FACE, Square(190, 60, 45))
    whole = find_faces(photo, nets)

    monkeypatch.setattr(mtcnn, "_RUN_PIXELS", pixels)
    stripped = find_faces(photo, nets)

    assert len(whole) == 2
    assert [each.box.tolist() for each in stripped] == [each.box.tolist() for each in whole]


@pytest.mark.parametrize("height", range(12, 60))
def test_strips_cover_every_row_once(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of answers of all strips are those of the whole; strips begin at even rows."""
    monkeypatch.setattr(mtcnn, "_RUN_PIXELS", 400)
    strips = list(mtcnn._strips(height, 100))

    def rows(first: int, last: int) -> list[int]:
        count = -(-(last - first - 2) // 2) - 4  # of pnet: a convolution, a pooling, two more
        return [first // 2 + row for row in range(count)]

    assert [row for strip in strips for row in rows(*strip)] == rows(0, height)
    assert all(first % 2 == 0 for first, _ in strips)


def test_the_first_network_never_sees_more_than_its_share(nets: Mtcnn) -> None:
    """A large photo is shown in strips, so memory does not grow with it."""
    sizes: list[int] = []

    def pnet(pixels: Tensor) -> Sequence[Tensor]:
        sizes.append(pixels.shape[2] * pixels.shape[3])
        return nets.pnet(pixels)

    find_faces(draw(2000, 1500), Mtcnn(pnet, nets.rnet, nets.onet))

    assert max(sizes) <= mtcnn._RUN_PIXELS + 10 * 1200


def test_boxes_outside_the_photo_are_dropped(nets: Mtcnn) -> None:
    """facenet-pytorch fails on them: it has fewer crops than boxes."""

    def pnet(pixels: Tensor) -> Sequence[Tensor]:
        offsets, scores = nets.pnet(pixels)
        scores = np.ones_like(scores)
        return np.full_like(offsets, 50), scores

    assert find_faces(draw(100, 100), Mtcnn(pnet, nets.rnet, nets.onet)) == []


def test_crops_are_judged_in_batches(nets: Mtcnn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of any size give the same faces."""
    photo = draw(320, 240, FACE, Square(190, 60, 45))
    whole = find_faces(photo, nets)

    monkeypatch.setattr(mtcnn, "_BATCH", 1)

    assert [each.box.tolist() for each in find_faces(photo, nets)] == [
        each.box.tolist() for each in whole
    ]
