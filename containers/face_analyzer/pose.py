"""Estimate where a head points from its landmarks.

Six landmarks are compared with the same points of a head in general. The projection between them is
taken as scaled and orthographic: a linear fit gives its two rows, which are then made orthonormal.
The face looks along -z of the
rotation: yaw and pitch are the direction in the camera's axes, and roll is the turn around it.

Source: POS of DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code" (1995). The head
is the widely used one of S. Mallick's "Head Pose Estimation using OpenCV and Dlib" (2016).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from containers.face_analyzer.landmarks import Points
from pipeline.contracts.faces import Pose

_NOSE, _CHIN, _EYE_LEFT, _EYE_RIGHT, _MOUTH_LEFT, _MOUTH_RIGHT = 30, 8, 36, 45, 48, 54
USED: Final = (_NOSE, _CHIN, _EYE_LEFT, _EYE_RIGHT, _MOUTH_LEFT, _MOUTH_RIGHT)
# x to the right of the picture, y downwards, z away from the camera, in any unit.
HEAD: Final = np.array(
    [
        (0, 0, 0), (0, 330, 65), (-225, -170, 135), (225, -170, 135), (-150, 150, 125),
        (150, 150, 125),
    ],
    np.float64,
)  # fmt: skip
_CENTRED: Final = HEAD - HEAD.mean(axis=0)
_FIT: Final = np.linalg.pinv(_CENTRED)


def pose_of(points: Points) -> Pose | None:
    """Return the pose of a head with 68 landmarks; None if they all lie on a line."""
    used = points[list(USED)]
    rows = (_FIT @ (used - used.mean(axis=0))).T  # 2×3: scale times the rotation's first rows
    left, scales, right = np.linalg.svd(rows, full_matrices=False)
    if scales[1] <= 1e-6 * scales[0]:
        return None
    first, second = left @ right
    third = np.cross(first, second)
    return Pose(
        roll=_degrees(math.atan2(second[0], second[1])),
        pitch=_degrees(math.asin(np.clip(-second[2], -1, 1))),
        yaw=_degrees(math.atan2(-first[2], third[2])),
    )


def _degrees(radians: float) -> float:
    return round(math.degrees(radians), 2)
