"""Tables of ARKit shapes as other programs write them are read alike."""

import re

import numpy as np
import pytest
from arkit_motions import values_of

from emote_blender.retarget.signals import signals_of
from tests.live_link import angles_csv, live_link_csv, recorded


def variant_semicolons(text):
    return text.replace(",", ";").replace(".", ",")


def variant_quoted_decimal_commas(text):
    head, *rows = text.splitlines()
    return "\n".join([head, *(",".join(f'"{cell.replace(".", ",")}"' for cell in row.split(",")) for row in rows)])


def variant_tabs(text):
    return text.replace(",", "\t")


def variant_mark_and_windows_lines(text):
    return ("\ufeff" + text).replace("\n", "\r\n")


def variant_old_mac_lines(text):
    return text.replace("\n", "\r")


def variant_camel_case(text):
    return re.sub(r"(?<=,)[A-Z](?=[a-z]\w*[,\n])", lambda found: found[0].lower(), text)


def variant_sides_as_letters(text):
    head, rest = text.split("\n", 1)
    head = re.sub(r"(?<!Mouth)(?<!Jaw)(Left|Right)(?=,|$)", lambda found: "_" + found[0][0], head)
    return f"{head}\n{rest}"


def variant_snake_case_with_prefix(text):
    head, rest = text.split("\n", 1)
    return ",".join("Face." + re.sub(r"(?<!^)(?=[A-Z])", "_", title).lower() for title in head.split(",")) + "\n" + rest


def variant_other_order(text):
    rows = [line.split(",") for line in text.splitlines()]
    order = np.random.default_rng(8).permutation(len(rows[0]))
    return "\n".join(",".join(row[column] for column in order) for row in rows)


def variant_extra_columns(text):
    head, *rows = text.splitlines()
    return "\n".join([head + ",Confidence,Device", *(row + ",0.9,iPhone" for row in rows)])


def variant_spaces_and_blank_lines(text):
    return "\n\n" + text.replace(",", " , ").replace("\n", "\n\n")


def variant_title_line(text):
    return "# take 3 of MySlate\n" + text


def variant_per_cent(text):
    head, *rows = text.splitlines()
    scaled = []
    for row in rows:
        cells = row.split(",")
        shapes = [f"{100 * float(cell):.8f}" for cell in cells[2:54]]
        scaled.append(",".join([*cells[:2], *shapes, *cells[54:]]))
    return "\n".join([head, *scaled])


def variant_per_cent_signs(text):
    head, *rows = text.splitlines()
    return "\n".join(
        [
            head,
            *(",".join([*row.split(",")[:2], *(f"{100 * float(c):.8f}%" for c in row.split(",")[2:])]) for row in rows),
        ]
    )


def variant_degrees(text):
    head, *rows = text.splitlines()
    turned = []
    for row in rows:
        cells = row.split(",")
        turned.append(",".join([*cells[:54], *(f"{np.degrees(float(cell)):.8f}" for cell in cells[54:])]))
    return "\n".join([head, *turned])


def variant_other_count_title(text):
    return text.replace("BlendShapeCount", "BlendshapeCount")


def timed(title, unit, first=0.0):
    def change(text):
        head, *rows = text.splitlines()
        times = [f"{(first + frame / 60) / unit:.6f}" for frame in range(len(rows))]
        rows = [",".join([time, *row.split(",")[1:]]) for time, row in zip(times, rows, strict=True)]
        return "\n".join([head.replace("Timecode", title), *rows])

    return change


VARIANTS = {
    "semicolons": variant_semicolons,
    "quoted decimal commas": variant_quoted_decimal_commas,
    "tabs": variant_tabs,
    "mark and Windows lines": variant_mark_and_windows_lines,
    "old Mac lines": variant_old_mac_lines,
    "camel case": variant_camel_case,
    "sides as letters": variant_sides_as_letters,
    "snake case with prefix": variant_snake_case_with_prefix,
    "other order": variant_other_order,
    "extra columns": variant_extra_columns,
    "spaces": variant_spaces_and_blank_lines,
    "title line": variant_title_line,
    "per cent": variant_per_cent,
    "per cent signs": variant_per_cent_signs,
    "degrees": variant_degrees,
    "other count title": variant_other_count_title,
    "seconds": timed("Time", 1.0),
    "seconds with unit": timed("Time (s)", 1.0, 1000.0),
    "Unix seconds": timed("timestamp", 1.0, 1.7e9),
    "milliseconds": timed("TimeMs", 1e-3),
    "milliseconds without unit": timed("timestamp", 1e-3, 5.0),
    "nanoseconds": timed("timestamp_ns", 1e-9),
    "frame numbers": timed("Frame", 1 / 60),
    "no time": lambda text: "\n".join(line.split(",", 1)[1] for line in text.splitlines()),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_the_table_are_read_alike(read, name):
    given = recorded(70)
    plain = live_link_csv(given)
    motion = read(VARIANTS[name](plain))
    assert (motion.num_frames, motion.fps) == (70, 60), read.notes
    np.testing.assert_allclose(values_of(motion), given[:, :52], atol=2e-6)
    np.testing.assert_allclose(motion.neck, read(plain).neck, atol=2e-6)
    np.testing.assert_allclose(motion.eye_offsets, read(plain).eye_offsets, atol=2e-6)


def test_utf_16_of_a_spreadsheet_is_read(read):
    given = recorded(3)
    np.testing.assert_allclose(values_of(read(live_link_csv(given), encoding="utf-16")), given[:, :52], rtol=1e-6)


def test_missing_columns_are_zero(read):
    motion = read(live_link_csv(np.array([[0.5], [0.5]]), columns=["JawOpen"]))
    signals = signals_of(motion)
    assert signals["jawOpen"] == pytest.approx([0.5, 0.5])
    assert all((values == 0).all() for name, values in signals.items() if name != "jawOpen")
    assert motion.neck is None
    assert motion.eyes is None
    assert motion.eye_offsets is None


def test_columns_that_are_not_used_are_named(read):
    read(variant_extra_columns(live_link_csv(recorded(2))))
    assert read.notes == ["take.csv: columns that are not used: Confidence, Device"]


def test_a_quiet_face_is_not_taken_for_per_cent(read):
    given = recorded(20) * 0.01
    np.testing.assert_allclose(values_of(read(live_link_csv(given))), given[:, :52], atol=1e-8)


def test_a_phone_on_its_side_does_not_make_degrees_of_radians(read):
    assert np.linalg.norm(read(angles_csv(HeadRoll=-1.571)).neck[0]) == pytest.approx(1.571, abs=1e-5)
