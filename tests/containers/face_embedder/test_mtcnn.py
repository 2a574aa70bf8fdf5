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
from pipeline.errors import OutOfMemory
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


@pytest.mark.parametrize("side", [12, 33, 100])
def test_tiles_change_nothing(nets: Mtcnn, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first network answers the same for tiles as for the whole, also for odd sizes."""
    photo = draw(331, 247, FACE, Square(190, 60, 45))
    whole = find_faces(photo, nets)

    monkeypatch.setattr(mtcnn, "_TILE", side)
    tiled = find_faces(photo, nets)

    assert len(whole) == 2
    assert [each.box.tolist() for each in tiled] == [each.box.tolist() for each in whole]


@pytest.mark.parametrize("length", range(12, 90))
def test_stretches_cover_every_row_once(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of answers of all stretches are those of the whole; they begin at even rows."""
    monkeypatch.setattr(mtcnn, "_TILE", 25)
    stretches = list(mtcnn._stretches(length))

    def rows(first: int, last: int) -> list[int]:
        count = -(-(last - first - 2) // 2) - 4  # of pnet: a convolution, a pooling, two more
        return [first // 2 + row for row in range(count)]

    assert [row for stretch in stretches for row in rows(*stretch)] == rows(0, length)
    assert all(first % 2 == 0 for first, _ in stretches)
    assert all(last - first <= 25 + 1 for first, last in stretches)


def test_the_first_network_never_sees_more_than_its_share(nets: Mtcnn) -> None:
    """A large photo is shown in tiles, so memory does not grow with it."""
    sizes: list[int] = []

    def pnet(pixels: Tensor) -> Sequence[Tensor]:
        sizes.extend(pixels.shape[2:])
        return nets.pnet(pixels)

    find_faces(draw(2000, 1500), Mtcnn(pnet, nets.rnet, nets.onet))

    assert max(sizes) <= mtcnn._TILE + 1


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


def test_a_photo_whose_table_does_not_fit_is_not_searched(nets: Mtcnn) -> None:
    """Its memory is asked for, so the job ends with a name and not with the process."""

    def none(_count: int) -> None:
        raise OutOfMemory("no memory")

    with pytest.raises(OutOfMemory):
        find_faces(draw(320, 240), nets, reserve=none)
