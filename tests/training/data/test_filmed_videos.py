"""Which videos are captured: MEAD's layout, and a folder with a table."""

import pytest

from emote_blender.errors import InputError
from emote_blender.training.data.filmed.videos import FilmedClip, mead_videos, own_videos


@pytest.fixture
def make(tmp_path):
    """A function that makes empty files below the folder."""

    def files(*names: str) -> None:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    return files


def test_meads_clips_are_found_with_their_sound(make, tmp_path):
    make(
        "M003/video/front/angry/level_3/012.mp4",
        "M003/audio/angry/level_3/012.m4a",
        "M003/video/left_30/angry/level_3/012.mp4",
        "W009/video/front/neutral/level_1/001.mp4",
        "readme/video/front/neutral/level_1/001.mp4",
    )
    clips, left_out = mead_videos(tmp_path, "front")
    assert clips == [
        FilmedClip(
            "M003/front/angry/level_3/012",
            tmp_path / "M003/video/front/angry/level_3/012.mp4",
            tmp_path / "M003/audio/angry/level_3/012.m4a",
            "anger",
            2.0,
            "M003",
        ),
        FilmedClip(
            "W009/front/neutral/level_1/001",
            tmp_path / "W009/video/front/neutral/level_1/001.mp4",
            None,
            "neutral",
            0.0,
            "W009",
        ),
    ]
    assert left_out == []


def test_another_camera_is_chosen_and_people_without_it_are_named(make, tmp_path):
    make("M003/video/left_30/sad/level_1/001.mp4", "W017/video/front/sad/level_1/001.mp4")
    clips, left_out = mead_videos(tmp_path, "left_30")
    assert [clip.video.parts[-4] for clip in clips] == ["left_30"]
    assert [(left.name, "left_30" in left.why) for left in left_out] == [("W017", True)]


def test_folders_that_mead_does_not_have_are_named(make, tmp_path):
    make(*(f"M003/video/front/{name}/001.mp4" for name in ("happy/level_1", "happy/level_7", "proud/level_1")))
    clips, left_out = mead_videos(tmp_path, "front")
    assert len(clips) == 1
    assert len(left_out) == 2


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ((), "0 of MEAD's people"),
        (("M003/video/top/happy/level_1/001.mp4",), "found the cameras top"),
        (("M003/video.tar",), "unpack video.tar"),
    ],
)
def test_a_folder_without_clips_says_what_it_should_hold(make, tmp_path, files, sentence):
    make(*files)
    with pytest.raises(InputError, match=sentence):
        mead_videos(tmp_path, "front")
    with pytest.raises(InputError, match="is not a folder"):
        mead_videos(tmp_path / "gone", "front")


def own(tmp_path, text: str):
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    return own_videos(tmp_path / "films", tmp_path / "table.csv")


def test_a_table_names_videos_of_a_folder(make, tmp_path):
    make("films/a.mp4", "films/sub/b.c.MOV", "films/b.wav")
    clips, left_out = own(
        tmp_path, "video;emotion;intensity;speaker;audio\na.mp4;Sad;1,5;Ann;\nsub/b.c.MOV;happy;;;b.wav\n"
    )
    assert left_out == []
    assert [clip.name for clip in clips] == ["a", "sub/b.c"]
    assert (clips[0].emotion, clips[0].intensity, clips[0].speaker, clips[0].audio) == ("sad", 1.5, "Ann", None)
    assert (clips[1].intensity, clips[1].speaker) == (1.0, "default")
    assert clips[1].audio == tmp_path / "films" / "b.wav"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("gone.mp4,sad,1", "gone.mp4 not found"),
        ("b.mp4,proud,1", "found 'proud'"),
        ("b.mp4,,1", "found nothing"),
        ("b.mp4,sad,3", "intensity 3 is outside 0 to 2"),
        ("b.mp4,sad,much", "intensity must be a number"),
        ("../c.mp4,sad,1", "is outside"),
        ("a.mov,sad,1", "another row has a clip of this name"),
        (",sad,1", "video is empty"),
    ],
)
def test_a_row_that_cannot_be_used_leaves_the_others(make, tmp_path, row, sentence):
    make("films/a.mp4", "films/b.mp4", "films/a.mov", "c.mp4")
    clips, left_out = own(tmp_path, f"video,emotion,intensity\na.mp4,sad,1\n{row}\n")
    assert [clip.name for clip in clips] == ["a"]
    (why,) = [left.why for left in left_out if "line 3" in left.why]
    assert sentence in why


def test_a_video_without_a_row_is_named(make, tmp_path):
    make("films/a.mp4", "films/sub/b.mkv", "films/notes.txt")
    _, left_out = own(tmp_path, "video,emotion\na.mp4,sad\n")
    assert [left.name for left in left_out] == ["sub/b.mkv"]


def test_a_table_without_a_usable_row_is_refused_with_the_first_reason(make, tmp_path):
    make("films/a.mp4")
    with pytest.raises(InputError, match="names no video in .* that can be used: .*line 2.*not found"):
        own(tmp_path, "video,emotion\nb.mp4,sad\n")
