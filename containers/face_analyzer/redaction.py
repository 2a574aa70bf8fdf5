"""Make a copy of a photo in which nobody can be recognised by the face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from containers.face_analyzer.landmarks import crop_of
from containers.face_analyzer.pictures import EncodedPicture
from pipeline.contracts.faces import Face, Redaction
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo, Pixels


def redact(photo: Photo, faces: Sequence[Face], kind: Redaction) -> EncodedPicture:
    """Return the photo on white with its faces blurred, pixelated or covered, as a JPEG."""
    picture = np.array(photo.on_white())
    for face in faces:
        box = face.detection.box
        sides = np.array([box.x, box.y, box.x + box.width, box.y + box.height])
        crop = crop_of(sides, picture)
        if crop is not None:
            rows = slice(crop.top, crop.top + crop.height)
            columns = slice(crop.left, crop.left + crop.width)
            picture[rows, columns] = _hidden(picture[rows, columns], kind)
    return EncodedPicture(encode(picture, picture_format="jpeg"), "image/jpeg", ".jpg")


def _hidden(face: Pixels, kind: Redaction) -> Pixels:
    if kind == "cover":
        return np.zeros_like(face)
    whole = Image.fromarray(face)
    if kind == "blur":
        return np.asarray(whole.filter(ImageFilter.GaussianBlur(max(whole.size) / 6)))
    return np.asarray(whole.resize((6, 8), Image.Resampling.BOX).resize(whole.size, 0))
