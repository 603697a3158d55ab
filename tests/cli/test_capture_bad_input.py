"""`capture` of videos as people have them: each gives a motion of the right length, or one sentence and no file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from face_videos import patched_matrix, require_landmarker, scene, write_video
from PIL import Image, ImageDraw

from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion

pytestmark = pytest.mark.ends
pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")


@pytest.fixture(autouse=True)
def networks():
    require_landmarker()


def faces(num_frames: int) -> list[np.ndarray]:
    """Pictures of a face that moves to the right."""
    return [scene(240, 220, [(110 + frame, 110, 1)]) for frame in range(num_frames)]


def photo(path: Path) -> None:
    Image.fromarray(faces(1)[0]).save(path)


def smiley(path: Path) -> None:
    picture = Image.new("RGB", (320, 320), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 40, 280, 280), fill=(255, 220, 60), outline="black", width=5)
    draw.ellipse((110, 110, 135, 150), fill="black")
    draw.ellipse((185, 110, 210, 150), fill="black")
    draw.arc((100, 130, 220, 240), 20, 160, fill="black", width=6)
    picture.save(path)


def two_people(path: Path) -> None:
    write_video(path, [scene(440, 220, [(110, 110, 1), (330, 110, 0.8)])] * 8)


def transparent(path: Path) -> None:
    alpha = np.where(np.hypot(*np.mgrid[-110:110, -120:120]) < 100, 255, 0).astype(np.uint8)
    write_video(path, [np.dstack([picture, alpha]) for picture in faces(5)], codec="png", pixel_format="rgba")


def interlaced(path: Path) -> None:
    options = {"flags": "+ilme+ildct", "top": "1"}
    write_video(
        path, faces(6), codec="mpeg2video", pixel_format="yuv420p", bit_rate=20_000_000, gop_size=1, options=options
    )


def upright_phone(path: Path) -> None:
    """Stored on its side, with a matrix that turns it."""
    stored = [np.ascontiguousarray(np.rot90(picture)) for picture in faces(5)]
    write_video(path, stored, codec="mpeg4", pixel_format="yuv420p", bit_rate=5_000_000)
    patched_matrix(path, (0, 1, -1, 0))


def damaged(path: Path) -> None:
    write_video(path, faces(20))
    content = bytearray(path.read_bytes())
    place = len(content) // 3
    content[place : place + 3000] = np.random.default_rng(1).integers(0, 255, 3000, dtype=np.uint8).tobytes()
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    """An mp4 has its index at its end."""
    write_video(path, faces(10), codec="mpeg4", pixel_format="yuv420p", bit_rate=3_000_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def film(num_frames: int, fps: int = 25, sound_seconds: float = 0.0, **options) -> Callable[[Path], None]:
    """A function that writes a video of the face."""

    def write(path: Path) -> None:
        sound = np.sin(np.arange(round(sound_seconds * 16000)) / 9) if sound_seconds else None
        write_video(path, faces(num_frames), fps=fps, sound=sound, **options)

    return write


@pytest.mark.once  # the decoder is the same on 5.2; test_capture_command captures a video there
@pytest.mark.parametrize(
    ("name", "make", "num_frames", "warning"),
    [
        ("photo.png", photo, 1, ""),
        ("mute.mkv", film(6), 6, ""),
        ("long_sound.mkv", film(6, sound_seconds=3), 6, "the picture ends at 0.20 of 3.00 s"),
        ("slow.mkv", film(7, fps=12), 13, ""),
        ("fast.mkv", film(48, fps=240), 5, "of 240 frames per second, some were left out"),
        ("upright.mp4", upright_phone, 5, ""),
        ("alpha.mov", transparent, 5, "transparent parts"),
        ("ten_bits.mkv", film(5, pixel_format="yuv420p10le"), 5, ""),
        ("hdr.mkv", film(5, pixel_format="yuv420p10le", color_trc=16), 5, "HDR10"),
        ("interlaced.avi", interlaced, 6, "interlaced"),
        ("two.mkv", two_people, 8, "2 faces were seen at once"),
        ("damaged.mkv", damaged, 20, "could not be decoded"),
    ],
)
def test_a_video_that_can_be_used_gives_all_its_frames(tmp_path, capsys, name, make, num_frames, warning):
    make(tmp_path / name)
    assert main(["capture", str(tmp_path / name), "-o", str(tmp_path / "a.npz")]) == 0
    motion = FaceMotion.load(tmp_path / "a.npz")
    assert motion.num_frames == pytest.approx(num_frames, abs=1)
    assert np.abs(motion.neck).max() < 0.6  # upright, and seen from the front
    said = capsys.readouterr().err
    assert warning in said
    assert ("warning" in said) == bool(warning)


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("nobody.mkv", lambda path: write_video(path, [scene(200, 200, [])] * 5), "no face was found in"),
        (
            "small.mkv",
            lambda path: write_video(path, [scene(240, 220, [(120, 110, 0.15)])] * 3),
            "no face was found in",
        ),
        ("smiley.png", smiley, "no face was found in"),
        ("cut.mp4", cut_off, "cannot be read as a video (of an unknown kind, cut off, or damaged)"),
        ("zeros.mp4", lambda path: path.write_bytes(bytes(5000)), "cannot be read as a video"),
        ("text.mp4", lambda path: path.write_text("Take 1"), "is a text file, not a video"),
        ("empty.mp4", Path.touch, "is empty"),
        ("folder.mp4", Path.mkdir, "is a folder; give a video in it"),
        ("gone.mp4", lambda path: None, "not found"),
    ],
)
def test_a_video_that_cannot_be_used_is_one_sentence_and_leaves_nothing(tmp_path, capsys, name, make, sentence):
    make(tmp_path / name)
    before = sorted(tmp_path.iterdir())
    assert main(["capture", str(tmp_path / name), "-o", str(tmp_path / "a.npz")]) == 1
    assert sorted(tmp_path.iterdir()) == before
    said = [line for line in capsys.readouterr().err.splitlines() if "%" not in line]
    assert len(said) == 1
    assert sentence in said[0]
