"""Estimate where a head points from its landmarks.

Twelve landmarks are compared with the same points of a head in general: ends of the brows, corners
of the eyes, sides of the nose, corners of the mouth. The chin is none of them: it moves with the
mouth. The projection between them is taken as scaled and orthographic: a linear fit gives the first
two rows of a rotation, which are then made orthonormal. Yaw and pitch are the direction of the face
in the camera's axes, and roll is the turn around it.

Source: POS of DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code" (1995). The head
is the anthropometric model of the University of Coimbra (aifi.isr.uc.pt), which is widely used with
these landmarks.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from containers.face_analyzer.landmarks import Points
from pipeline.contracts.faces import Pose

# By landmark on the left of the picture, the same on the right, and where the latter is, in
# centimetres: to the right of the picture, downwards, away from the camera.
_PAIRS: Final = (
    (17, 26, (6.826, -6.761, -4.402)),  # outer ends of the brows
    (21, 22, (1.330, -7.122, -6.904)),  # inner ends
    (36, 45, (5.311, -5.485, -3.988)),  # outer corners of the eyes
    (39, 42, (1.790, -5.394, -4.413)),  # inner corners
    (31, 35, (2.006, -1.410, -6.166)),  # sides of the nose
    (48, 54, (2.774, 2.081, -5.049)),  # corners of the mouth
)
USED: Final = tuple(landmark for left, right, _ in _PAIRS for landmark in (left, right))
HEAD: Final = np.array([(side * x, y, z) for _, _, (x, y, z) in _PAIRS for side in (-1, 1)])
_FIT: Final = np.linalg.pinv(HEAD - HEAD.mean(axis=0))
_FLAT: Final = 1e-6  # of the larger scale


def pose_of(points: Points) -> Pose | None:
    """Return the pose of a head with 68 landmarks; None if they all lie on a line."""
    used = points[list(USED)]
    rows = (_FIT @ (used - used.mean(axis=0))).T  # 2×3: scale times the rotation's first rows
    left, scales, right = np.linalg.svd(rows, full_matrices=False)
    if scales[1] <= _FLAT * scales[0]:
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
