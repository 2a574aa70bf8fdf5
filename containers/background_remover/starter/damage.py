"""Change an image as cameras, editors and uploads do; its mask stays the same."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from containers.background_remover.starter.grounds import Dice, Picture

_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def damaged(dice: Dice, picture: Picture) -> Image.Image:
    """Change light and colour, then add blur, grain and JPEG artifacts; the size stays the same."""
    if dice.random() < 0.75:
        picture = relit(dice, picture)
    if dice.random() < 0.3:
        grain = dice.uniform(0.005, 0.06)
        picture = picture + grain * dice.standard_normal(picture.shape, np.float32)
    photo = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    if dice.random() < 0.18:
        photo = _blurred(dice, photo)
    return _recompressed(dice, photo) if dice.random() < 0.3 else photo


def relit(dice: Dice, picture: Picture) -> Picture:
    """Change exposure, contrast, saturation and tint; one image in ten becomes grey."""
    grey = (picture @ _LUMA)[..., None]
    saturation = 0.0 if dice.random() < 0.1 else dice.uniform(0.5, 1.5)
    toned = grey + (picture - grey) * np.float32(saturation)
    cast = dice.normal(1, 0.08, 3).astype(np.float32) * np.float32(dice.uniform(0.65, 1.4))
    contrast = np.float32(dice.uniform(0.6, 1.4))
    middle = np.float32(grey.mean())
    return np.clip(((toned - middle) * contrast + middle) * cast, 0, 1)


def _blurred(dice: Dice, photo: Image.Image) -> Image.Image:
    if dice.random() < 0.5:
        return photo.filter(ImageFilter.GaussianBlur(dice.uniform(0.4, photo.width / 110)))
    small = max(16, round(photo.width * dice.uniform(0.35, 0.8)))
    shrunk = photo.resize((small, small), Image.Resampling.BILINEAR)
    return shrunk.resize(photo.size, Image.Resampling.BILINEAR)


def _recompressed(dice: Dice, photo: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=int(dice.integers(15, 90)))
    return Image.open(buffer).convert("RGB")
