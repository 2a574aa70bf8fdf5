"""Draw the boxes of faces into a copy of the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from containers.face_analyzer.pictures import EncodedPicture
from pipeline.contracts.faces import Face
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo


def draw_preview(photo: Photo, faces: Sequence[Face]) -> EncodedPicture:
    """Return the photo on white with a box around each face, as a JPEG."""
    picture = Image.fromarray(photo.on_white())
    drawing = ImageDraw.Draw(picture)
    for face in faces:
        box = face.detection.box
        corners = (box.x, box.y, box.x + box.width, box.y + box.height)
        drawing.rectangle(corners, outline="white", width=max(2, max(picture.size) // 400))
    content = encode(np.asarray(picture), picture_format="jpeg")
    return EncodedPicture(content, "image/jpeg", ".jpg")
