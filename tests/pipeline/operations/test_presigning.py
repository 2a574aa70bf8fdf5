"""What is signed names one exact key."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from pipeline.artifacts import Location
from pipeline.operations.presigning import presign_form
from pipeline.operations.site import Site


@pytest.mark.parametrize("key", ["ada/${filename}", "ada/${filename}.jpg"])
def test_a_key_that_s3_would_complete_is_not_signed(key: str) -> None:
    with pytest.raises(ValueError, match="exact key"):
        presign_form(
            cast("Site", None),
            Location("ingest", key),
            size=1,
            fields={},
            lasts=timedelta(minutes=1),
        )
