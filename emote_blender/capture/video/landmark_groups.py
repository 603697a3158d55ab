"""Numbers of landmarks in the face mesh of 478 points: 468 of the surface, then five of each iris."""

from __future__ import annotations

import numpy as np

NUM_LANDMARKS = 478
UPPER_LIP = np.array([191, 80, 81, 82, 13, 312, 311, 310, 415, 185, 40, 39, 37, 0, 267, 269, 270, 409])
LOWER_LIP = np.array([95, 88, 178, 87, 14, 317, 402, 318, 324, 146, 91, 181, 84, 17, 314, 405, 321, 375])
MOUTH_CORNERS = np.array([61, 291, 78, 308])
LIPS = np.concatenate([UPPER_LIP, LOWER_LIP, MOUTH_CORNERS])
RIGHT_LIDS = np.array([33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246])
LEFT_LIDS = np.array([263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466])
BROWS = np.array([70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 336, 296, 334, 293, 300, 285, 295, 282, 283, 276])
RIGHT_IRIS, LEFT_IRIS = np.arange(468, 473), np.arange(473, 478)
CHIN = np.array([152, 148, 377, 176, 400])
OUTLINE = np.array(
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377]
    + [152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)
"""The face's outline, which slides over the head when it turns."""

INNER_LIP_PAIRS = np.array(
    [(13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318), (191, 95), (415, 324)]
)
"""(9, 2) a landmark of the upper lip and the one of the lower lip that it touches; the middle first."""
RIGHT_LID_PAIRS = np.array([(159, 145), (158, 153), (160, 144), (157, 154), (161, 163)])
LEFT_LID_PAIRS = np.array([(386, 374), (385, 380), (387, 373), (384, 381), (388, 390)])
"""(5, 2) a landmark of the upper lid and the one of the lower lid that it touches."""
