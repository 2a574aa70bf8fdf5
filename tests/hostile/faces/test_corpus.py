"""Every file of the corpus is searched for faces, or is quarantined by name."""

from __future__ import annotations

import pytest

from pipeline.artifacts import Location
from tests.hostile.case import CUTOUT, Case, Note
from tests.hostile.faces.desk import EVERYTHING, FACES, FaceDesk
from tests.hostile.test_corpus import CORPUS

# A photo without a face is a success, as is one without a subject.
_SEARCHED = frozenset({CUTOUT, "NoSubject"})


@pytest.mark.filterwarnings("ignore")  # Pillow warns about damage that it tolerates
@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CORPUS)
def test_a_file_is_searched_or_refused_by_name(
    face_desk: FaceDesk, case: Case, record_property: Note
) -> None:
    face_desk.store.write(Location("photos", "us.jpg"), case.content(), media_type="image/jpeg")

    end = face_desk.run({"bucket": "photos", "key": "us.jpg", "options": EVERYTHING})

    record_property("end", end.name)
    ends = {FACES if name in _SEARCHED else name for name in case.ends}
    if case.options:  # the case is about a cutout's options
        ends.add(FACES)
    assert end.name in ends, end.message
    assert "object at 0x" not in end.message
