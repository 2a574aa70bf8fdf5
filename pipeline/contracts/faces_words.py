"""The words that options of faces take. Imports no library, so that help is quick."""

from typing import Literal

Attribute = Literal["age_gender", "expressions"]
Redaction = Literal["blur", "pixelate", "cover"]
FaceFileKind = Literal["faces", "preview", "redacted", "embeddings", "embedded"]
