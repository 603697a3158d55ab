import itertools

import numpy as np
import pytest

from emote_blender import emotion
from emote_blender.files.paths import find_head
from emote_blender.flame.measure import LIPS_CLOSED_GAP, lip_gap
from emote_blender.flame.model import FaceModel
from emote_blender.training.corpus import phones
from emote_blender.training.corpus.motion import articulation, emotion_styles, liveliness

FEELINGS = [name for name in emotion_styles.EMOTIONS if name != "neutral"]
COLUMN = {name: index for index, name in enumerate(emotion_styles.EXPRESSION_NAMES)}
# "my big happy family, move the warm beach": bilabials between open, spread and round vowels; one phone a row
SENTENCE = "M AA IH B IH G HH AE P IY F AE M L IY sil M UW V DH AX W AO R M B IY T SH W UW P AA"
PHONE_SECONDS = 0.08
START_SECONDS = 0.4


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return FaceModel.load(find_head("open_head"))


@pytest.fixture(scope="module")
def sentence() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of (class, start, end), articulation (T, 7), loudness (T,): loud in phones, silent around them."""
    names = SENTENCE.split()
    starts = START_SECONDS + PHONE_SECONDS * np.arange(len(names))
    rows = np.array([(phones.CLASS_INDEX[n], s, s + PHONE_SECONDS) for n, s in zip(names, starts, strict=True)])
    num_frames = int(round((rows[-1, 2] + 0.5) * 25))
    times = (np.arange(num_frames) + 0.5) / 25
    loudness = np.where((times > START_SECONDS) & (times < rows[-1, 2]), 0.8 + 0.2 * np.sin(9 * times), 0.0)
    return rows, articulation.tracks(rows, num_frames), loudness.astype(np.float32)


def frames_of(rows, names) -> list[slice]:
    """For every phone of these names, the frames in which its contact must be seen: its own and 60 ms before."""
    wanted = [phones.CLASS_INDEX[name] for name in names]
    return [slice(int((s - 0.06) * 25), int(np.ceil(e * 25))) for phone, s, e in rows if phone in wanted]


def mouth_line_gap(head: FaceModel, vertices: np.ndarray) -> np.ndarray:
    """(T,) metres: largest opening in the middle three quarters of the mouth, between vertices that touch at rest."""
    upper = np.flatnonzero(head.regions["lips_upper"] > 0.5)
    lower = np.flatnonzero(head.regions["lips_lower"] > 0.5)
    upper = upper[np.abs(head.v_template[upper, 0]) < 0.020]
    distance = np.linalg.norm(head.v_template[upper, None] - head.v_template[None, lower], axis=-1)
    distance[upper[:, None] == lower[None, :]] = np.inf
    touching = distance.min(axis=1) < 0.0006
    pairs = upper[touching], lower[distance.argmin(axis=1)[touching]]
    assert len(pairs[0]) > 10
    return (vertices[:, pairs[0], 1] - vertices[:, pairs[1], 1]).max(axis=1)


def test_components_and_emotions_are_the_heads_and_the_packages(head):
    assert emotion_styles.EXPRESSION_NAMES == tuple(head.expression_names)
    assert tuple(emotion_styles.EMOTIONS) == emotion.EMOTIONS


@pytest.mark.parametrize("name", emotion_styles.EMOTIONS)
def test_lips_meet_on_every_bilabial_in_every_style(head, sentence, name):
    rows, channels, loudness = sentence
    contacts = frames_of(rows, phones.BILABIALS)
    assert len(contacts) == 8
    frames = np.concatenate([np.arange(contact.start, contact.stop) for contact in contacts])
    lengths = np.cumsum([contact.stop - contact.start for contact in contacts])[:-1]
    for intensity, speaker in itertools.product((0.0, 1.0, 2.0), emotion_styles.SPEAKERS):
        expression, jaw = emotion_styles.face(channels, loudness, name, intensity, speaker)
        vertices = head.vertices(expression[frames], jaw[frames])
        for gap in np.split(lip_gap(head, vertices), lengths):
            assert gap.min() < 0, (intensity, speaker, gap)
        for gap in np.split(mouth_line_gap(head, vertices), lengths):
            assert (gap < 0.0005).sum() >= 2, (intensity, speaker, gap)  # closed for two frames


@pytest.mark.parametrize("name", emotion_styles.EMOTIONS)
def test_the_lower_lip_reaches_the_upper_teeth_on_f_and_v(head, sentence, name):
    rows, channels, loudness = sentence
    vertices = head.vertices(*emotion_styles.face(channels, loudness, name, 2.0, "even"))
    x, _, z = head.v_template.T
    teeth = np.flatnonzero((head.regions["teeth_upper"] > 0.5) & (np.abs(x) < 0.012))
    teeth = teeth[z[teeth] > z[teeth].max() - 0.006]  # the front of the incisors
    lip = np.flatnonzero((head.regions["lips_lower"] > 0.5) & (np.abs(x) < 0.006))
    for contact in frames_of(rows, phones.LABIODENTALS):
        lip_above_edge = vertices[contact][:, lip, 1].max(axis=1) - vertices[contact][:, teeth, 1].min(axis=1)
        gap = lip_gap(head, vertices[contact])
        assert (lip_above_edge > 0).sum() >= 2  # the lip covers the edge of the teeth
        assert gap[lip_above_edge > 0].min() > 0.001  # and the upper lip leaves them visible


@pytest.fixture(scope="module")
def paused() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Articulation (T, 7), loudness (T,), frames of speech (T,), frames (T,) two or more away from it: "as, a we"."""
    names = "AA S sil UW AE sil W IY".split()
    ends = 0.6 + np.cumsum([0.15, 0.15, 0.4, 0.15, 0.15, 1.2, 0.1, 0.15])
    rows = np.array([(phones.CLASS_INDEX[n], s, e) for n, s, e in zip(names, np.r_[0.6, ends], ends, strict=False)])
    num_frames = 110
    silent = articulation.frame_labels(rows, 2 * num_frames, 50).reshape(num_frames, 2) == phones.SILENCE
    spoken = ~silent.all(axis=1)
    away = np.convolve(spoken, np.ones(3), "same") == 0
    return articulation.tracks(rows, num_frames), np.where(spoken, 0.8, 0.0), spoken, away


@pytest.mark.parametrize("name", emotion_styles.EMOTIONS)
def test_lips_are_closed_in_pauses_unless_the_emotion_rests_with_an_open_mouth(head, paused, name):
    channels, loudness, _, away = paused
    for intensity, speaker in itertools.product((0.0, 1.0, 2.0), emotion_styles.SPEAKERS):
        motion = emotion_styles.face(channels, loudness, name, intensity, speaker, liveliness.LIVELY)
        gap = lip_gap(head, head.vertices(*(track[away] for track in motion)))
        if name == "surprise":
            assert gap.max() > 0.003, (intensity, speaker)
        else:
            assert gap.max() < LIPS_CLOSED_GAP, (intensity, speaker, gap)


@pytest.mark.parametrize("name", FEELINGS)
def test_an_emotion_opens_the_mouth_as_the_words_do(head, sentence, name):
    rows, channels, loudness = sentence
    spoken = slice(int(rows[0, 1] * 25), int(rows[-1, 2] * 25))
    for speaker in emotion_styles.SPEAKERS:
        plain, emotional = (
            lip_gap(head, head.vertices(*emotion_styles.face(channels, loudness, each, 2.0, speaker)))[spoken]
            for each in ("neutral", name)
        )
        assert np.corrcoef(plain, emotional)[0, 1] > 0.98, speaker
        assert 0.75 < emotional.std() / plain.std() < 1.45, speaker


@pytest.mark.parametrize("name", FEELINGS)
def test_an_emotion_leaves_the_lower_lip_at_the_teeth_on_f_and_v(head, sentence, name):
    rows, channels, loudness = sentence
    teeth = np.flatnonzero((np.abs(head.v_template[:, 0]) < 0.004) & (head.regions["teeth_upper"] > 0.5))
    lip = np.flatnonzero((np.abs(head.v_template[:, 0]) < 0.0005) & (head.regions["lips_lower"] > 0.5))

    def depths(emotion_name: str, speaker: str) -> np.ndarray:
        vertices = head.vertices(*emotion_styles.face(channels, loudness, emotion_name, 2.0, speaker))
        height = vertices[:, teeth, 1].min(axis=1) - vertices[:, lip, 1].max(axis=1)
        return np.array([height[contact].min() for contact in frames_of(rows, phones.LABIODENTALS)])

    for speaker in emotion_styles.SPEAKERS:
        assert (depths(name, speaker) < depths("neutral", speaker) + 0.001).all(), speaker


def _tongue_tip(head: FaceModel, phone: str, emotion_name: str, speaker: str) -> tuple[float, np.ndarray, np.ndarray]:
    """How far the tip is in front of the upper incisors (metres), its points beyond them, the posed vertices."""
    names = ["AA", phone, "EH"]
    rows = np.array([(phones.CLASS_INDEX[n], 0.2 + 0.1 * i, 0.3 + 0.1 * i) for i, n in enumerate(names)])
    motion = emotion_styles.face(articulation.tracks(rows, 20), np.full(20, 0.8), emotion_name, 2.0, speaker)
    vertices = head.vertices(*(track[8] for track in motion))  # 0.32 to 0.36 s
    incisors = (head.regions["teeth_upper"] > 0.5) & (np.abs(head.v_template[:, 0]) < 0.006)
    tongue = vertices[head.regions["tongue"] > 0.5]
    front = vertices[incisors, 2].max()
    return float(tongue[:, 2].max() - front), tongue[tongue[:, 2] > front], vertices


@pytest.mark.parametrize("phone", ["TH", "DH"])
def test_the_tip_of_the_tongue_shows_between_teeth_and_lips_on_th(head, phone):
    midline = np.abs(head.v_template[:, 0]) < 0.008
    upper_edge, lower_edge = (midline & (head.regions[name] > 0.5) for name in ("teeth_upper", "teeth_lower"))
    for name in ("neutral", "happy", "sad", "surprise", "anger"):
        for speaker in emotion_styles.SPEAKERS:
            beyond, tip, vertices = _tongue_tip(head, phone, name, speaker)
            assert 0.0005 < beyond < 0.0075, (name, speaker, beyond)
            centre = tip[:, 1].mean()
            assert vertices[lower_edge, 1].max() - 0.001 < centre < vertices[upper_edge, 1].min() + 0.001


@pytest.mark.parametrize("phone", ["T", "D", "N", "L"])
def test_the_tip_of_the_tongue_is_raised_behind_the_teeth(head, phone):
    for speaker in emotion_styles.SPEAKERS:
        beyond, _, vertices = _tongue_tip(head, phone, "neutral", speaker)
        assert beyond < -0.006
        tongue = vertices[head.regions["tongue"] > 0.5]
        upper = vertices[(head.regions["teeth_upper"] > 0.5) & (np.abs(head.v_template[:, 0]) < 0.006)]
        assert tongue[:, 1].max() > upper[:, 1].min() + 0.001  # above the edge of the incisors


def test_vowels_open_the_mouth_in_every_emotion(head, sentence):
    rows, channels, loudness = sentence
    vowels = frames_of(rows, ("AA", "AE", "AO"))
    for name in emotion_styles.EMOTIONS:
        gap = lip_gap(head, head.vertices(*emotion_styles.face(channels, loudness, name, 2.0, "even")))
        assert min(gap[vowel].max() for vowel in vowels) > 0.005, name


def test_the_mouth_narrows_and_comes_forward_on_a_rounded_vowel(head):
    lips = np.flatnonzero(head.regions["lips"] > 0.5)

    def mouth(vowel, name):
        row = np.array([(phones.CLASS_INDEX[vowel], 0.2, 0.5)])
        expression, jaw = emotion_styles.face(articulation.tracks(row, 20), np.full(20, 0.8), name, 2.0, "even")
        points = head.vertices(expression[8], jaw[8])[lips]
        return np.ptp(points[:, 0]), points[:, 2].max()

    for name in emotion_styles.EMOTIONS:
        (narrow, forward), (wide, back) = mouth("UW", name), mouth("IY", name)
        assert narrow < wide - 0.010, name
        assert forward > back + 0.002, name


def test_a_neutral_face_rests_with_closed_lips(head):
    for speaker in emotion_styles.SPEAKERS:
        expression, jaw = emotion_styles.face(np.zeros((20, 7)), np.zeros(20), "neutral", 1.0, speaker)
        assert np.abs(expression).max() < 0.01
        assert not jaw.any()


def test_neutral_looks_the_same_at_every_intensity(sentence):
    _, channels, loudness = sentence
    mild, high = (emotion_styles.face(channels, loudness, "neutral", i, "even") for i in (0.0, 2.0))
    assert all((a == b).all() for a, b in zip(mild, high, strict=True))


@pytest.mark.parametrize("speaker", emotion_styles.SPEAKERS)
@pytest.mark.parametrize("name", FEELINGS)
def test_an_emotion_grows_with_intensity(head, sentence, name, speaker):
    _, channels, loudness = sentence

    def vertices(emotion_name: str, intensity: float) -> np.ndarray:
        motion = emotion_styles.face(channels, loudness, emotion_name, intensity, speaker)
        return head.vertices(*(track[::5] for track in motion))  # five frames a second

    plain, distances = vertices("neutral", 1.0), []
    for intensity in (0.0, 0.5, 1.0, 1.5, 2.0):
        moved = vertices(name, intensity) - plain
        distances.append(np.sqrt((moved**2).sum(axis=-1).mean()))
    assert (np.diff(distances) > 0).all()
    assert distances[-1] > 1.6 * distances[0]  # graded: high is clearly more than mild


def test_emotions_differ_from_each_other_on_the_upper_face_while_speaking(head, sentence):
    _, channels, loudness = sentence
    parts = ("brow_area_left", "brow_area_right", "eye_area_left", "eye_area_right", "cheek_left", "cheek_right")
    upper = np.flatnonzero(np.max([head.regions[part] for part in parts], axis=0) > 0.5)
    frames = slice(15, 40)
    faces = {
        name: head.vertices(*(a[frames] for a in emotion_styles.face(channels, loudness, name, 2.0, "even")))[:, upper]
        for name in emotion_styles.EMOTIONS
    }
    for one, other in itertools.combinations(faces, 2):
        distance = np.sqrt(((faces[one] - faces[other]) ** 2).sum(axis=-1).mean())
        assert distance > 0.001, (one, other, distance)


def test_speakers_differ(head, sentence):
    _, channels, loudness = sentence
    faces = {
        s: head.vertices(*emotion_styles.face(channels, loudness, "happy", 1.0, s)) for s in emotion_styles.SPEAKERS
    }
    for one, other in itertools.combinations(faces, 2):
        assert np.sqrt(((faces[one] - faces[other]) ** 2).sum(axis=-1)).max() > 0.0015, (one, other)


def test_the_same_input_gives_the_same_face(sentence):
    _, channels, loudness = sentence
    first, second = (emotion_styles.face(channels, loudness, "fear", 1.3, "lively") for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_blinks_and_gaze_are_not_in_the_targets(sentence):
    _, channels, loudness = sentence
    for name in emotion_styles.EMOTIONS:
        expression, _ = emotion_styles.face(channels, loudness, name, 2.0, "broad")
        assert np.ptp(expression[:, [COLUMN["eyeBlinkLeft"], COLUMN["eyeBlinkRight"]]], axis=0).max() < 0.1
        assert not expression[:, [COLUMN["eyeLookInLeft"], COLUMN["eyeLookOutLeft"], COLUMN["eyeLookUpLeft"]]].any()


def test_no_component_leaps_for_a_single_frame(sentence):
    _, channels, loudness = sentence
    for name, speaker in itertools.product(emotion_styles.EMOTIONS, emotion_styles.SPEAKERS):
        expression, jaw = emotion_styles.face(channels, loudness, name, 2.0, speaker)
        motion = np.concatenate([expression, jaw[:, :1]], axis=1)
        neighbours = np.median([motion[:-2], motion[1:-1], motion[2:]], axis=0)
        assert np.abs(motion[1:-1] - neighbours).max() < 0.6, (name, speaker)


def test_face_has_the_contracts_shapes_and_ranges(sentence):
    _, channels, loudness = sentence
    expression, jaw = emotion_styles.face(channels, loudness, "anger", 2.0, "broad")
    assert expression.shape == (len(loudness), 50)
    assert jaw.shape == (len(loudness), 3)
    assert expression.dtype == jaw.dtype == np.float32
    assert 0 <= expression.min() <= expression.max() <= 1.5
    assert 0 <= jaw.min() <= jaw.max() < 0.45


def test_one_frame_is_enough():
    expression, jaw = emotion_styles.face(np.zeros((1, 7)), np.zeros(1), "sad", 2.0, "even")
    assert np.isfinite(expression).all()
    assert np.isfinite(jaw).all()


def test_wrong_arguments_are_refused():
    channels, loudness = np.zeros((4, 7)), np.zeros(4)
    with pytest.raises(ValueError, match="intensity"):
        emotion_styles.face(channels, loudness, "sad", 2.5, "even")
    with pytest.raises(ValueError, match="does not fit"):
        emotion_styles.face(channels, np.zeros(5), "sad", 1.0, "even")
    with pytest.raises(KeyError):
        emotion_styles.face(channels, loudness, "bored", 1.0, "even")
    with pytest.raises(KeyError):
        emotion_styles.face(channels, loudness, "sad", 1.0, "nobody")


def test_loudness_is_relative_to_the_clip_and_aligned_to_frames():
    samples = np.zeros(25 * 640)
    samples[10 * 640 : 15 * 640] = np.sin(np.arange(5 * 640) * 0.3)
    quiet = emotion_styles.loudness(0.1 * samples, 25)
    loud = emotion_styles.loudness(samples, 25)
    np.testing.assert_allclose(quiet, loud, atol=1e-4)
    assert loud[11:14].min() > 0.97
    assert loud[:9].max() == loud[16:].max() == 0


@pytest.mark.parametrize("num_frames, num_samples", [(0, 0), (1, 640), (8, 5000), (8, 9000), (5, 0)])
def test_loudness_has_as_many_frames_as_asked(num_frames, num_samples):
    values = emotion_styles.loudness(np.full(num_samples, 0.1), num_frames)
    assert values.shape == (num_frames,)
    assert np.isfinite(values).all()


def test_silence_has_no_loudness():
    assert not emotion_styles.loudness(np.zeros(6400), 10).any()


UPPER = ("browInnerUp", "browOuterUpLeft", "browDownLeft", "cheekSquintLeft", "eyeWideLeft", "noseSneerLeft")


@pytest.mark.parametrize("name", emotion_styles.EMOTIONS)
def test_a_lively_face_moves_brows_or_cheeks_more_than_the_plain_one(sentence, name):
    rows, channels, _ = sentence
    times = (np.arange(len(channels)) + 0.5) / 25
    loudness = np.where((times > START_SECONDS) & (times < rows[-1, 2]), 0.75 + 0.25 * np.sin(12 * times), 0.0)
    columns = [COLUMN[column] for column in UPPER]
    plain, lively = (
        emotion_styles.face(channels, loudness, name, 2.0, "even", style)[0][12:40, columns].std(axis=0)
        for style in (liveliness.PLAIN, liveliness.LIVELY)
    )
    assert lively.max() > 0.05  # of a component: seen
    assert lively.sum() > 1.3 * plain.sum()


def test_the_brows_rise_where_a_phrase_begins():
    loudness = np.r_[np.zeros(15), np.full(50, 0.8), np.zeros(10)]
    expression, _ = emotion_styles.face(np.zeros((75, 7)), loudness, "neutral", 1.0, "even", liveliness.LIVELY)
    brow = expression[:, COLUMN["browInnerUp"]]
    assert brow[15:22].max() > 0.15
    assert brow[40:65].max() < 0.5 * brow[15:25].max()  # the last syllable is not stressed because a pause follows
    assert brow[70:].max() < 0.02


def test_phrase_onsets_are_high_at_the_begin_and_gone_half_a_second_later():
    onsets = liveliness.phrase_onsets(np.r_[np.zeros(10), np.ones(40)])
    assert onsets[:10].max() == 0
    assert onsets[10] == 1
    assert onsets[10 + 13 :].max() < 0.25
    assert len(liveliness.phrase_onsets(np.zeros(0))) == 0


@pytest.mark.parametrize("name", emotion_styles.EMOTIONS)
def test_lips_meet_on_every_bilabial_of_a_lively_face(head, sentence, name):
    rows, channels, loudness = sentence
    expression, jaw = emotion_styles.face(channels, loudness, name, 2.0, "broad", liveliness.LIVELY)
    for contact in frames_of(rows, phones.BILABIALS):
        assert lip_gap(head, head.vertices(expression[contact], jaw[contact])).min() < 0


@pytest.mark.parametrize("name", FEELINGS)
def test_a_lively_emotion_stays_nearest_to_its_own_plain_face(head, sentence, name):
    _, channels, loudness = sentence
    skin = np.flatnonzero(head.regions["skin"] > 0.5)[::8]

    def mean_face(emotion_name, style):
        expression, jaw = emotion_styles.face(channels, loudness, emotion_name, 2.0, "even", style)
        return head.vertices(expression[5::6], jaw[5::6])[:, skin].mean(axis=0)

    plain = {other: mean_face(other, liveliness.PLAIN) for other in emotion_styles.EMOTIONS}
    found = mean_face(name, liveliness.LIVELY)
    assert min(plain, key=lambda other: ((found - plain[other]) ** 2).sum()) == name


def test_a_lively_neutral_face_rests_with_closed_lips():
    expression, jaw = emotion_styles.face(np.zeros((20, 7)), np.zeros(20), "neutral", 1.0, "lively", liveliness.LIVELY)
    assert np.abs(expression).max() < 0.01
    assert not jaw.any()
