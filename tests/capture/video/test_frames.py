import struct
import wave
from fractions import Fraction

import numpy as np
import pytest
from face_videos import patched_matrix, write_video
from PIL import Image

from emote_blender.capture.video.frames import VideoFrames
from emote_blender.errors import InputError

av = pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")


def corners(width=64, height=48):
    """A picture whose corners are red, green, blue and white, from the top left with the clock; the rest is black."""
    picture = np.zeros((height, width, 3), np.uint8)
    half_w, half_h = width // 4, height // 4
    for rows, columns, color in (
        (slice(0, half_h), slice(0, half_w), (255, 0, 0)),
        (slice(0, half_h), slice(-half_w, None), (0, 255, 0)),
        (slice(-half_h, None), slice(-half_w, None), (0, 0, 255)),
        (slice(-half_h, None), slice(0, half_w), (255, 255, 255)),
    ):
        picture[rows, columns] = color
    return picture


def corner_names(picture):
    """The colours of the corners with the clock, by their first letters."""
    names = {(255, 0, 0): "r", (0, 255, 0): "g", (0, 0, 255): "b", (255, 255, 255): "w"}
    places = [(3, 3), (3, -4), (-4, -4), (-4, 3)]
    return "".join(
        names.get(tuple((np.round(picture[place] / 255) * 255).astype(int).tolist()), "?") for place in places
    )


def numbered(count, height=48, width=64):
    """Pictures whose brightness is 10 times their number."""
    return [np.full((height, width, 3), 10 * index, np.uint8) for index in range(count)]


def read(path, **options):
    frames = VideoFrames(path, **options)
    return frames, list(frames)


def test_frames_have_their_pictures_and_times(tmp_path):
    frames, found = read(write_video(tmp_path / "a.mkv", numbered(5)))
    assert frames.size == (64, 48)
    assert [frame.picture.mean() for frame in found] == [0, 10, 20, 30, 40]
    np.testing.assert_allclose([frame.seconds for frame in found], np.arange(5) / 25, atol=1e-3)
    assert (frames.notes, frames.is_single) == ([], False)
    assert frames.duration_seconds == pytest.approx(0.2, abs=0.01)


def test_frames_can_be_read_again(tmp_path):
    frames = VideoFrames(write_video(tmp_path / "a.mkv", numbered(3)))
    assert [frame.seconds for frame in frames] == [frame.seconds for frame in frames]


def test_a_variable_frame_rate_gives_the_times_of_the_file(tmp_path):
    times = [0.0, 0.04, 0.2, 0.217, 0.5]
    _, found = read(write_video(tmp_path / "a.mkv", numbered(5), seconds=times))
    assert [frame.seconds for frame in found] == pytest.approx(times, abs=1e-6)


def test_times_count_from_the_beginning_of_the_file(tmp_path):
    times = [7.0, 7.04, 7.08]
    _, found = read(write_video(tmp_path / "a.mkv", numbered(3), seconds=times))
    assert [frame.seconds for frame in found] == pytest.approx([0, 0.04, 0.08], abs=1e-6)


@pytest.mark.parametrize("fps, expected", [(12, 12), (60, 60), (120, 60), (240, 60)])
def test_of_many_frames_per_second_some_are_left_out(tmp_path, fps, expected):
    frames, found = read(write_video(tmp_path / "a.mkv", numbered(25), fps=fps))
    assert np.diff([frame.seconds for frame in found]) == pytest.approx(1 / expected, abs=2e-3)
    assert bool(frames.notes) == (fps > 60)


@pytest.mark.parametrize(
    "matrix, expected",
    [
        ((1, 0, 0, 1), "rgbw"),
        ((0, 1, -1, 0), "wrgb"),  # turned with the clock: a phone held upright
        ((-1, 0, 0, -1), "bwrg"),
        ((0, -1, 1, 0), "gbwr"),
        ((-1, 0, 0, 1), "grwb"),  # mirrored
    ],
)
def test_the_display_matrix_turns_the_picture(tmp_path, matrix, expected):
    pictures = [corners()] * 3
    path = write_video(tmp_path / "a.mp4", pictures, codec="libx264", pixel_format="yuv444p", options={"crf": "1"})
    patched_matrix(path, matrix)
    frames, found = read(path)
    assert corner_names(found[0].picture) == expected
    assert frames.size == ((48, 64) if matrix[0] == 0 else (64, 48))
    assert found[0].picture.shape[:2] == frames.size[::-1]


def test_a_mirrored_video_is_turned_back(tmp_path):
    _, found = read(write_video(tmp_path / "a.mkv", [corners()]), mirrored=True)
    assert corner_names(found[0].picture) == "grwb"


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    path = write_video(
        tmp_path / "a.mp4", [corners()], codec="libx264", pixel_format="yuv444p", sample_aspect_ratio=Fraction(4, 3)
    )
    frames, found = read(path)
    assert frames.size == (85, 48)
    assert found[0].picture.shape == (48, 85, 3)


def test_large_pictures_are_made_smaller_while_decoding(tmp_path):
    frames, found = read(write_video(tmp_path / "a.mkv", [corners(640, 480)]), longest_side=160)
    assert frames.size == (640, 480)
    assert found[0].picture.shape == (120, 160, 3)
    assert corner_names(found[0].picture) == "rgbw"


def test_transparent_parts_become_grey_and_that_is_said(tmp_path):
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[:, :32] = (200, 100, 50, 255)
    frames, found = read(write_video(tmp_path / "a.mov", [picture], codec="png", pixel_format="rgba"))
    assert found[0].picture[10, 10].tolist() == [200, 100, 50]
    assert found[0].picture[10, 50].tolist() == [128, 128, 128]
    assert "transparent" in frames.notes[0]


def test_hdr_is_said(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(2), pixel_format="yuv420p10le", color_trc=16)
    frames, found = read(path)
    assert "HDR10" in frames.notes[0]
    assert len(found) == 2
    assert found[1].picture.dtype == np.uint8


def test_an_interlaced_video_is_said_and_its_lines_are_filled_in(tmp_path):
    """A bar that moves between the two times of a frame is a comb before, and none after."""
    pictures = []
    for index in range(6):
        picture = np.zeros((96, 128, 3), np.uint8)
        picture[0::2, 16 * index : 16 * index + 20] = 255
        picture[1::2, 16 * index + 8 : 16 * index + 28] = 255
        pictures.append(picture)
    options = {"flags": "+ilme+ildct", "top": "1"}
    path = write_video(
        tmp_path / "a.avi", pictures, codec="mpeg2video", pixel_format="yuv420p", bit_rate=20_000_000, options=options
    )
    frames, found = read(path)
    assert "interlaced" in frames.notes[0]
    assert len(found) == 6

    def combing(picture):
        luma = picture[..., 1].astype(float)
        return np.abs(2 * luma[1:-1] - luma[:-2] - luma[2:]).mean()

    assert combing(found[3].picture) < 0.3 * combing(pictures[3])


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "100%03d photo.png"])
def test_a_photo_is_one_frame(tmp_path, name):
    Image.fromarray(corners()).save(tmp_path / name, quality=95)
    frames, found = read(tmp_path / name)
    assert frames.is_single
    assert [frame.seconds for frame in found] == [0]
    assert corner_names(found[0].picture) == "rgbw"


def test_the_start_of_the_sound_is_known(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("ffv1", rate=25), container.add_stream("pcm_s16le", rate=16000)
        video.width, video.height, video.pix_fmt = 64, 48, "bgr0"
        for picture in numbered(3):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture)))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16000, 800
        container.mux(sound.encode(frame))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    assert VideoFrames(path).sound_start_seconds == pytest.approx(0.05, abs=2e-3)


def test_a_damaged_middle_is_left_out_and_said(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), dtype=np.uint8)
    path = write_video(tmp_path / "a.mov", list(noise), codec="png", pixel_format="rgb24")
    content = bytearray(path.read_bytes())
    place = content.index(b"\x89PNG", len(content) // 2)
    content[place : place + 20] = bytes(20)
    path.write_bytes(content)
    frames, found = read(path)
    assert 50 < len(found) < 60
    assert "damaged" in frames.notes[-1]


def test_frames_that_the_decoder_mended_are_said(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (30, 48, 64, 3), dtype=np.uint8)
    path = write_video(tmp_path / "a.mp4", list(noise), codec="mpeg4", pixel_format="yuv420p", gop_size=30)
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + 10_000
    content[middle : middle + 60] = np.random.default_rng(1).bytes(60)
    path.write_bytes(content)
    frames, found = read(path)
    assert len(found) == 30
    assert frames.notes[-1].startswith("1 damaged parts")


def test_a_video_that_ends_early_is_read_to_there_and_that_is_said(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), dtype=np.uint8)
    path = write_video(tmp_path / "a.mkv", list(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, found = read(path)
    assert 40 < len(found) < 60
    assert any("the picture ends at" in note or "damaged" in note for note in frames.notes)


def test_a_sound_file_gets_one_sentence(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    with pytest.raises(InputError, match="holds only sound"):
        VideoFrames(path)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"#EXTM3U\nhttp://localhost/a.ts\n", "is a text file, not a video"),
        (b"PK\x03\x04" + bytes(100), "is a zip archive, not a video"),
        (b"", "is empty"),
        (bytes(5000), "cannot be read as a video"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 8, "cannot be read as a video"),
    ],
)
def test_files_that_are_no_videos_get_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        VideoFrames(path)


def test_a_missing_file_gets_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"a\.mp4 not found"):
        VideoFrames(tmp_path / "a.mp4")


def test_a_picture_that_announces_too_much_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(corners()).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    path.write_bytes(content)
    with pytest.raises(InputError):
        VideoFrames(path)


def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(10))
    iterator = iter(VideoFrames(path))
    next(iterator)
    iterator.close()
    path.unlink()  # fails on Windows if the file is still open
    assert not path.exists()
