"""Every file of the corpus becomes a cutout of what was drawn, or is quarantined by name."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from pipeline.artifacts import Location
from tests.hostile import bombs, colours, formats, oddities, truncations
from tests.hostile.case import CUTOUT, Case, Note
from tests.hostile.desk import Desk
from tests.pictures import Pixels
from tests.pipeline.photo.pictures import HEIGHT, INSIDE, SUBJECT, WIDTH

CORPUS = [
    pytest.param(case, id=case.name)
    for case in chain(
        formats.cases(), colours.cases(), truncations.cases(), bombs.cases(), oddities.cases()
    )
]


@pytest.mark.filterwarnings("ignore")  # Pillow warns about damage that it tolerates
@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", CORPUS)
def test_a_file_is_cut_out_or_refused_by_name(
    desk: Desk, case: Case, record_property: Note
) -> None:
    desk.store.write(Location("photos", "cat.jpg"), case.content(), media_type="image/jpeg")

    end = desk.run({"bucket": "photos", "key": "cat.jpg", "options": case.options})

    record_property("end", end.name)
    assert end.name in case.ends, end.message
    assert "object at 0x" not in end.message
    if end.name == CUTOUT:
        assert case.drawn is not None
        assert_cut_out(end.pictures["cutout"], case.drawn, case.tolerance)


def assert_cut_out(cutout: Pixels, drawn: Pixels, tolerance: int) -> None:
    """Assert that the cutout has the subject's colours, and is transparent around it."""
    assert cutout.shape == (*drawn.shape[:2], 4)
    if drawn.shape[:2] == (HEIGHT, WIDTH):
        inside, around = INSIDE, np.ones((HEIGHT, WIDTH), dtype=bool)
        around[
            SUBJECT[0].start - 8 : SUBJECT[0].stop + 8, SUBJECT[1].start - 8 : SUBJECT[1].stop + 8
        ] = False
        assert cutout[around][:, 3].max() <= 2
    else:
        inside = slice(None), slice(None)
    assert cutout[inside][..., 3].min() >= 235  # the test network's alpha for the darkest subject
    difference = np.abs(cutout[inside][..., :3].astype(int) - drawn[inside].astype(int))
    assert difference.max() <= tolerance
