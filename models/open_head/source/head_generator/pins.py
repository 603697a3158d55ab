"""The pins of the grid: points on anatomical lines of the left half, placed by hand and projected on the sculpt."""

import numpy as np

from .interpolation import lerp
from .surface import cast_rays, front_surface, project
from .topology import (
    COLUMNS,
    EYE_ROWS,
    JAW_ROW,
    TOP_ROW,
    ear_border,
    eye_border,
    mouth_border,
)

SKULL_CENTRE = np.array([0, 0.045, -0.018])

# row of the neck -> y in front, y at the back, spacing of the columns (0 as on the face, 1 even)
NECK_ROWS = {
    0: (-0.184, -0.176, 1.0),
    1: (-0.184, -0.176, 1.0),
    2: (-0.175, -0.164, 0.9),
    3: (-0.164, -0.148, 0.8),
    4: (-0.154, -0.133, 0.6),
    5: (-0.145, -0.119, 0.45),
    6: (-0.137, -0.107, 0.3),
    7: (-0.129, -0.096, 0.2),
    8: (-0.121, -0.086, 0.1),
    9: (-0.1135, -0.077, 0),
    10: (-0.107, -0.0685, 0),
}
JAWLINE = np.array(
    [
        (0, -0.0895, 0.060),
        (0.0085, -0.0885, 0.060),
        (0.0165, -0.0855, 0.0555),
        (0.0235, -0.0815, 0.0490),
        (0.0300, -0.0760, 0.0410),
        (0.0360, -0.0695, 0.0320),
        (0.0415, -0.0625, 0.0230),
        (0.0465, -0.0545, 0.0140),
        (0.0500, -0.0460, 0.0050),
        (0.052, -0.040, -0.004),
    ]
)
JAWLINE_COLUMNS = 17
# millimetres, from the lower midline around the left corner to the upper midline
MOUTH_BORDER_X = (0, 5.2, 10.4, 15.5, 20.5, 25.0, 29.5, 33.5, 37.0, 40.5, 42.5, 43.0)
MOUTH_BORDER_X += (42.8, 41.5, 39.0, 34.5, 29.5, 24.5, 19.4, 14.4, 9.4, 4.7, 0)
MOUTH_BORDER_Y = (72.7, 72.6, 72.5, 72.2, 71.8, 71.0, 69.5, 67.5, 64.5, 59.0, 53.5, 48.0)
MOUTH_BORDER_Y += (42.5, 37.0, 32.0, 30.6, 29.6, 28.9, 28.5, 28.2, 28.0, 27.8, 27.7)
# row of the nose -> points by column; x is narrowed by NOSE_WIDTH before projection
NOSE_WIDTH = 0.93
NOSE_ROWS = {
    23: [
        (0, -0.0226, 0.0860),
        (0.0036, -0.0228, 0.0865),
        (0.0078, -0.0226, 0.0855),
        (0.0120, -0.0218, 0.0830),
        (0.0158, -0.0198, 0.0785),
    ],
    24: [
        (0, -0.0206, 0.0940),
        (0.0034, -0.0210, 0.0930),
        (0.0073, -0.0218, 0.0900),
        (0.0123, -0.0210, 0.0860),
        (0.0165, -0.0174, 0.0780),
    ],
    25: [
        (0, -0.0192, 0.1000),
        (0.0042, -0.0196, 0.0985),
        (0.0082, -0.0203, 0.0955),
        (0.0134, -0.0186, 0.0885),
        (0.0171, -0.0145, 0.0775),
    ],
    26: [
        (0, -0.0136, 0.1045),
        (0.0048, -0.0142, 0.1020),
        (0.0093, -0.0148, 0.0955),
        (0.0138, -0.0136, 0.0875),
        (0.0172, -0.0112, 0.0770),
    ],
    27: [
        (0, -0.0078, 0.1035),
        (0.0048, -0.0084, 0.1000),
        (0.0091, -0.0098, 0.0925),
        (0.0132, -0.0096, 0.0850),
        (0.0171, -0.0085, 0.0766),
    ],
    28: [
        (0, -0.0026, 0.1000),
        (0.0047, -0.0034, 0.0955),
        (0.0088, -0.0054, 0.0880),
        (0.0130, -0.0062, 0.0815),
        (0.0172, -0.0062, 0.0762),
    ],
    29: [(0, 0.0024, 0.0960), (0.0047, 0.0014, 0.0915), (0.0090, -0.0010, 0.0860)],
    30: [(0, 0.0076, 0.0920), (0.0046, 0.0064, 0.0880)],
}
BRIDGE_HEIGHTS = {31: 0.0130, 32: 0.0188, 33: 0.0250, 34: 0.0315, 35: 0.0384, 36: 0.0460}


def all_pins():
    """{key: (3,)} of every pinned vertex with x >= 0."""
    pins = {}
    for part in (_neck, _jawline, _mouth_border, _eye_border, _nose, _ear_border, _crown):
        pins |= part()
    return pins | _forehead(pins)


def _column_angles():
    """The azimuth of each column about the head's axis; the ten columns of the face take the first 45 degrees."""
    column = np.arange(COLUMNS + 1)
    behind = 45 + 135 * (column - 10) / (COLUMNS - 10)
    return np.radians(np.where(column <= 10, 45.0 * column / 10, behind))


def _neck():
    """The neck: rays from its axis, in rows that are tilted like the jaw."""
    pins = {}
    even = np.pi * np.arange(COLUMNS + 1) / COLUMNS
    for row, (front_y, back_y, evenness) in NECK_ROWS.items():
        angle = lerp(_column_angles(), even, evenness)
        y = lerp(front_y, back_y, (1 - np.cos(angle)) / 2)
        origins = np.stack([0 * y, y, np.full_like(y, -0.036)], 1)
        directions = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1)
        points = cast_rays(origins, directions, reach=0.16)
        if row == 0:  # the edge of the bust is turned in
            points = lerp(origins, points, 0.965) - np.array([0, 0.0035, 0])
        pins |= {("g", row, column): points[column] for column in range(COLUMNS + 1)}
    return pins


def _jawline():
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(JAWLINE, axis=0), axis=1))]
    stations = np.linspace(0, length[-1], JAWLINE_COLUMNS)
    pins = {}
    for column, station in enumerate(stations):
        pins["g", JAW_ROW, column] = np.array([np.interp(station, length, JAWLINE[:, axis]) for axis in range(3)])
    for column in range(20, COLUMNS + 1):
        angle = _column_angles()[column]
        origin = np.array([[0, lerp(-0.030, -0.040, (column - 17) / 11), -0.03]])
        pins["g", JAW_ROW, column] = cast_rays(origin, np.array([[np.sin(angle), 0, np.cos(angle)]]))[0]
    return pins


def _mouth_border():
    points = front_surface(np.array(MOUTH_BORDER_X) / 1e3, -np.array(MOUTH_BORDER_Y) / 1e3)
    return dict(zip(mouth_border(), points))


def _rounded_rectangle(cells, half_size, power):
    """(N, 2) points of a superellipse for the loop around (columns, rows) cells, ordered as `topology.rectangle`."""
    angle = []
    corner = np.pi / 4
    columns, rows = cells
    for count, start in ((columns, -3 * corner), (rows, -corner), (columns, corner), (rows, 3 * corner)):
        angle += [start + i / count * 2 * corner for i in range(count)]
    cosine, sine = np.cos(np.array(angle)), np.sin(np.array(angle))
    x = np.sign(cosine) * np.abs(cosine) ** (2 / power)
    y = np.sign(sine) * np.abs(sine) ** (2 / power)
    return np.stack([half_size[0] * x, half_size[1] * y], 1)


def _eye_border():
    outline = np.array([0.0354, 0.0205]) + _rounded_rectangle((8, 6), (0.0262, 0.0235), 2.3)
    return dict(zip(eye_border(), front_surface(outline[:, 0], outline[:, 1])))


def _nose():
    pins = {}
    for row, guesses in NOSE_ROWS.items():
        points = project(np.array(guesses, float) * np.array([NOSE_WIDTH, 1, 1]))
        pins |= {("g", row, column): point for column, point in enumerate(points)}
    for row, y in BRIDGE_HEIGHTS.items():
        pins["g", row, 0] = front_surface(0, y)[0]
    return pins


def _ear_border():
    outline = _rounded_rectangle((4, 9), (0.0110, 0.0245), 2.3)
    tilt = np.radians(12)
    z = -0.006 - (outline[:, 0] * np.cos(tilt) + outline[:, 1] * np.sin(tilt))
    y = 0.0125 + (-outline[:, 0] * np.sin(tilt) + outline[:, 1] * np.cos(tilt))
    origins = np.stack([0 * y, y, z], 1)
    return dict(zip(ear_border(), cast_rays(origins, np.tile([1.0, 0, 0], (len(y), 1)))))


def _crown():
    """The border of the grid on the crown: a square of rays from the skull's centre."""
    pins = {}
    quarter = COLUMNS // 4
    for column in range(COLUMNS + 1):
        if column <= quarter:
            u, v = column / quarter, 1.0
        elif column <= 3 * quarter:
            u, v = 1.0, 1 - (column - quarter) / quarter
        else:
            u, v = 1 - (column - 3 * quarter) / quarter, -1.0
        ray = np.array([[np.tan(np.radians(38 * u)), 1.0, np.tan(np.radians(42 * v))]])
        ray /= np.linalg.norm(ray)
        pins["g", TOP_ROW, column] = cast_rays(SKULL_CENTRE[None], ray)[0]
    return pins


def _forehead(pins):
    """The midline from the brows to the crown."""
    first, last = EYE_ROWS[1], TOP_ROW
    below, above = pins["g", first, 0] - SKULL_CENTRE, pins["g", last, 0] - SKULL_CENTRE
    forehead = {}
    for row in range(first + 1, last):
        t = (row - first) / (last - first)
        ray = lerp(below / np.linalg.norm(below), above / np.linalg.norm(above), t)
        forehead["g", row, 0] = cast_rays(SKULL_CENTRE[None], (ray / np.linalg.norm(ray))[None])[0]
    return forehead
