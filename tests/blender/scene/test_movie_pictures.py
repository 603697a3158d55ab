"""Blender's decoder: the right frame at every number, turned as the file says, and nothing left behind."""

import bpy
import numpy as np
import pytest

pytest.importorskip("av", reason="the videos of these tests are written with PyAV")
from face_videos import patched_matrix, write_video

from emote_blender.blender.scene.movie_pictures import MoviePart, MoviePictures, movie_info
from emote_blender.errors import InputError

BITS = 6
H264 = {"codec": "libx264", "pixel_format": "yuv420p", "options": {"crf": "12", "g": "100"}}


def numbered(number: int, width: int = 192, height: int = 96) -> np.ndarray:
    """A grey picture whose top left squares are the bits of a number, red below left and blue below right."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        picture[:16, 16 * bit : 16 * bit + 16] = 255 if number >> bit & 1 else 0
    picture[-32:, :32], picture[-32:, -32:] = (200, 20, 20), (20, 20, 200)
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number in a picture."""
    return sum((picture[8, 16 * bit + 8].mean() > 128) << bit for bit in range(BITS))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """40 numbered frames at 25 fps with one key frame."""
    path = tmp_path_factory.mktemp("videos") / "numbered.mp4"
    return write_video(path, [numbered(number) for number in range(40)], **H264)


@pytest.fixture
def opened():
    """A function that opens a part of a video until the test ends."""
    pictures = []

    def opened(path, first=0, num_frames=40, fps=25.0, **flips):
        pictures.append(MoviePictures(MoviePart(path, first, num_frames, fps, **flips)))
        return pictures[-1]

    yield opened
    for item in pictures:
        item.close()


def test_every_frame_is_the_right_one_at_its_time(video, opened):
    frames = list(opened(video))
    assert [number_of(frame.picture) for frame in frames] == list(range(40))
    assert [frame.seconds for frame in frames] == pytest.approx([number / 25 for number in range(40)])


def test_a_part_of_a_video_begins_and_ends_where_it_is_asked_for(video, opened):
    assert [number_of(frame.picture) for frame in opened(video, 12, 5)] == [12, 13, 14, 15, 16]


def test_frames_are_read_again_from_the_first_one(video, opened):
    pictures = opened(video, 3, 4)
    assert [number_of(frame.picture) for frame in pictures] == [number_of(frame.picture) for frame in pictures]


def test_frames_stay_right_after_blender_has_dropped_those_before(video, opened, monkeypatch):
    monkeypatch.setattr("emote_blender.blender.scene.movie_pictures._MOST_BYTES", 5 * 192 * 96 * 4)
    assert [number_of(frame.picture) for frame in opened(video)] == list(range(40))


def test_the_bytes_are_those_of_the_file(tmp_path, opened):
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    path = write_video(tmp_path / "a.mkv", [picture] * 2)
    np.testing.assert_array_equal(next(iter(opened(path, num_frames=1))).picture, picture)


@pytest.mark.parametrize("flips, is_red_left", [({}, True), ({"flip_x": True}, False)])
def test_a_mirrored_video_is_turned_back(video, opened, flips, is_red_left):
    picture = opened(video, num_frames=1, **flips).picture(0)
    assert (picture[-8, 8, 0] > 128) == is_red_left


def test_a_video_of_an_upright_phone_is_upright(tmp_path, opened):
    upright = numbered(5, 96, 192)
    path = write_video(tmp_path / "a.mp4", [np.rot90(upright)] * 2, **H264)
    patched_matrix(path, (0, 1, -1, 0))
    pictures = opened(path, num_frames=2)
    assert pictures.size == (96, 192)
    assert np.abs(pictures.picture(0).astype(int) - upright).mean() < 4


def test_frames_of_uneven_times_are_shown_when_they_are_seen(tmp_path, opened):
    seconds = np.cumsum([0.0, 0.04, 0.2, 0.04, 0.12, 0.04, 0.04])
    path = write_video(tmp_path / "a.mkv", [numbered(number) for number in range(7)], seconds=seconds, **H264)
    info = movie_info(path)
    found = [number_of(frame.picture) for frame in opened(path, 0, info.num_frames, info.fps)]
    times = np.arange(len(found)) / info.fps
    expected = np.searchsorted(seconds, times + 1e-3, side="right") - 1
    late = np.searchsorted(seconds, times + 1 / info.fps, side="right") - 1  # rounded to the next frame
    assert all(number in (a, b) for number, a, b in zip(found, expected, late, strict=True))


def test_a_video_of_240_fps_is_thinned_out(video, opened):
    pictures = opened(video, fps=240.0)
    assert [number_of(frame.picture) for frame in pictures] == list(range(0, 40, 4))
    assert pictures.notes == ["of 240 frames per second, one in 4 is used"]


def test_a_large_video_is_made_smaller(tmp_path, opened):
    picture = np.random.default_rng(0).integers(0, 256, (8, 2560, 3), np.uint8)
    path = write_video(tmp_path / "a.mkv", [picture])
    pictures = opened(path, num_frames=1)
    assert pictures.size == (2560, 8)
    means = picture.reshape(4, 2, 1280, 2, 3).mean((1, 3))
    assert np.abs(pictures.picture(0) - means).max() <= 1


def test_transparent_parts_are_grey(tmp_path, opened):
    picture = np.zeros((32, 64, 4), np.uint8)
    picture[:, :32] = (250, 0, 0, 255)
    path = write_video(tmp_path / "a.mkv", [picture], pixel_format="bgra")
    pictures = opened(path, num_frames=1)
    shown = pictures.picture(0)
    assert shown[16, 8].tolist() == [250, 0, 0]
    assert shown[16, 48].tolist() == [128, 128, 128]
    assert pictures.notes == ["the video has transparent parts; grey was put behind them"]


def test_a_picture_is_a_video_of_one_frame(tmp_path, opened):
    from PIL import Image

    path = tmp_path / "a.png"
    Image.fromarray(numbered(9)).save(path)
    assert movie_info(path).num_frames == 1
    assert number_of(opened(path, num_frames=1).picture(0)) == 9


def test_frame_rate_and_length_are_the_files(video):
    assert movie_info(video) == movie_info(video)
    assert (movie_info(video).fps, movie_info(video).num_frames) == (25.0, 40)


def test_nothing_stays_in_the_file(video):
    pictures = MoviePictures(MoviePart(video, 0, 3, 25.0))
    list(pictures)
    movie_info(video)
    pictures.close()
    pictures.close()
    assert [*bpy.data.images, *bpy.data.textures, *bpy.data.movieclips] == []


def test_frames_can_be_read_after_an_undo_took_the_image_away(video, opened):
    pictures = opened(video)
    frames = iter(pictures)
    assert number_of(next(frames).picture) == 0
    bpy.data.images.remove(bpy.data.images[0])
    assert [number_of(frame.picture) for frame in frames] == list(range(1, 40))


@pytest.mark.parametrize(
    "content, sentence",
    [(b"", "is empty"), (b"hello there", "text"), (np.random.default_rng(1).bytes(4000), "Blender cannot read")],
)
def test_what_is_no_video_is_refused(tmp_path, content, sentence):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        movie_info(path)
    assert [*bpy.data.images, *bpy.data.movieclips] == []


def test_a_sound_is_no_video(speech_wav):
    with pytest.raises(InputError, match="Blender cannot read"):
        movie_info(speech_wav)


def test_a_missing_video_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.mp4 not found"):
        movie_info(tmp_path / "gone.mp4")
