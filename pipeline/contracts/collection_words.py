"""The words of collections. Imports no library, so that help is quick."""

from typing import Literal

Action = Literal["create", "allow", "enroll", "forget", "compact", "export", "move", "delete"]
Backend = Literal["segments", "s3-vectors"]
IndexKind = Literal["flat", "ivf", "hnsw"]
PersonFrom = Literal["folder", "name"]
Skip = Literal[
    "no record", "no vectors", "no clear face", "other vectors", "photo gone", "enrolled before",
    "forgotten", "no id",
]  # fmt: skip
