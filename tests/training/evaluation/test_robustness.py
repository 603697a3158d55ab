"""Degraded recordings: what each does to a sound, and figures of models that are, or are not, disturbed."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_corpus import make_shard

from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.training.corpus.motion.emotion_styles import EXPRESSION_NAMES
from emote_blender.training.data.corpus.parts import prepare_part
from emote_blender.training.evaluation import degradations, robustness
from emote_blender.training.evaluation.degradations import DEGRADATIONS, Degraded
from emote_blender.training.evaluation.evaluation_clips import CorpusSet
from emote_blender.training.evaluation.face_reader import FaceReader
from emote_blender.training.evaluation.speechless_sounds import SPEECHLESS_SOUNDS

RATE = 16000
CLOCK = np.arange(2 * RATE) / RATE


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Syllables of a voice of 120 Hz with two formants, four per second, and silence between them."""
    voice = sum(
        np.sin(2 * np.pi * 120 * k * CLOCK) / (1 + ((120 * k - 700) / 150) ** 2) for k in range(1, 40)
    ) + 0.3 * sum(np.sin(2 * np.pi * 120 * k * CLOCK) / (1 + ((120 * k - 1900) / 150) ** 2) for k in range(1, 40))
    return voice * np.clip(np.sin(2 * np.pi * 4 * CLOCK), 0, 1) * 0.1


def envelope(sound: np.ndarray) -> np.ndarray:
    """Level (N / 160,) over 20 ms."""
    return np.sqrt(np.convolve(sound**2, np.full(320, 1 / 320), "same"))[::160]


def pitch(sound: np.ndarray) -> float:
    """The frequency of the strongest repetition from 80 to 400 Hz."""
    piece = sound[RATE // 2 : RATE]
    lags = np.correlate(piece, piece, "full")[len(piece) - 1 :]
    first = RATE // 400
    return RATE / (first + int(lags[first : RATE // 80].argmax()))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_condition_keeps_the_times_of_the_sounds_and_changes_them_except_clean(name, speech):
    found = DEGRADATIONS[name](speech, [np.roll(speech, 3000), speech[::-1]], rng())
    kept = found.samples[found.start : found.start + len(speech)]
    assert len(kept) == len(speech)
    assert np.isfinite(found.samples).all()
    assert found.start % 640 == 0
    wanted, level = envelope(speech), envelope(kept)
    lags = [np.corrcoef(wanted[10:-10], np.roll(level, -lag)[10:-10])[0, 1] for lag in range(-5, 6)]
    if not name.startswith("babble"):  # other syllables fill the silences
        assert abs(int(np.argmax(lags)) - 5) <= 2
        assert max(lags) > 0.8
    changed = name not in ("clean", "laughter around it")
    assert np.allclose(kept, speech) != changed


@pytest.mark.parametrize("ratio", [20.0, 5.0])
def test_babble_is_as_far_below_the_speech_as_asked(ratio, speech):
    others = [np.roll(speech, 1000 * k) for k in range(1, 6)]
    noise = degradations.babble(ratio)(speech, others, rng()).samples - speech
    levels = degradations.rms_of_speech(speech), degradations.rms_of_speech(noise)
    assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(ratio, abs=0.01)


def test_a_telephone_has_no_lows_and_no_highs():
    tones = {hz: np.sin(2 * np.pi * hz * CLOCK) for hz in (100, 1000, 6000)}
    kept = {
        hz: degradations.telephone(tone + 1e-3 * tones[1000], [], rng()).samples.std() / tone.std()
        for hz, tone in tones.items()
    }
    assert kept[1000] == pytest.approx(1, abs=0.05)
    assert kept[100] < 0.05
    assert kept[6000] < 0.05


def test_a_room_goes_on_after_the_sound():
    click = np.zeros(RATE)
    click[1000] = 1.0
    found = degradations.room(click, [], rng()).samples
    assert found[1000] == pytest.approx(1)
    assert np.abs(found[1001:1150]).max() < 1e-9
    early, late = found[1160:4000].std(), found[7000:9000].std()
    assert early > 5 * late > 0


def test_a_sound_is_raised_at_the_same_length(speech):
    assert pitch(speech) == pytest.approx(120, abs=2)
    higher = degradations.raised(speech, 1.5)
    assert len(higher) == len(speech)
    assert pitch(higher) == pytest.approx(180, abs=4)


def test_a_child_is_higher_and_a_whisper_has_no_pitch(speech):
    assert pitch(degradations.child(speech, [], rng()).samples) == pytest.approx(120 * 1.45 * 1.2, rel=0.04)

    def repetition(sound: np.ndarray) -> float:
        piece = sound[RATE // 2 + 200 : RATE // 2 + 1800]
        lag = round(RATE / 120)
        return float(np.corrcoef(piece[:-lag], piece[lag:])[0, 1])

    assert repetition(speech) > 0.8
    assert repetition(degradations.whisper(speech, [], rng()).samples) < 0.4


def test_linear_prediction_is_undone_by_its_reverse(speech):
    assert degradations._synthesise(*degradations._analyse(speech)) == pytest.approx(speech, abs=1e-6)


@pytest.mark.parametrize("name", SPEECHLESS_SOUNDS)
def test_sounds_without_speech_are_audible_and_never_the_same(name):
    first, second = (SPEECHLESS_SOUNDS[name](np.random.default_rng(seed)) for seed in (1, 2))
    assert first.dtype == np.float32
    assert len(first) == len(second) == 8 * RATE
    assert np.abs(first).max() == pytest.approx(0.5, abs=1e-3)
    assert first.std() > 0.02
    assert not np.allclose(first, second)


# ---------------------------------------------------------------- the figures


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> CorpusSet:
    folder = tmp_path_factory.mktemp("parts")
    return CorpusSet("buzz", prepare_part([make_shard(folder / "shard.npz", 8, seed=1)], folder / "buzz"))


@pytest.fixture(scope="module")
def reader(open_head) -> FaceReader:
    return FaceReader(open_head, 50, EXPRESSION_NAMES)


class Stand:
    """Stands where the pipeline does: gives a clip's reference if it knows the sound, else an open mouth."""

    def __init__(self, clips, open_by: float) -> None:
        self.clips, self.open_by = list(clips), open_by

    def known(self, samples):
        """The clip with this sound at any level; None if there is none."""
        scaled = samples / np.abs(samples).max()
        for clip in self.clips:
            wanted = clip.waveform.samples / np.abs(clip.waveform.samples).max()
            if len(wanted) == len(scaled) and np.allclose(wanted, scaled, atol=1e-4):
                return clip
        return None

    def encode(self, waveform):
        return SimpleNamespace(samples=waveform.samples, num_frames=len(waveform.samples) // 640)

    def generate(self, features, track, speaker):
        clip = self.known(features.samples)
        if clip is None:
            motion = np.zeros((features.num_frames, 53), np.float32)
            motion[:, 50] = self.open_by
        else:
            motion = clip.reference("neutral", 2.0)
        return FaceMotion(motion[:, :-3], motion[:, -3:], 25)


def examine(corpus, reader, open_by: float, conditions):
    pipeline = Stand(corpus.clips(3), open_by)
    return robustness.examine_robustness(pipeline, reader, [corpus], 3, degradations=conditions)  # type: ignore[arg-type]


def quieter_and_later(samples, others, generator) -> Degraded:
    return Degraded(np.concatenate([np.zeros(1280), samples]), 1280)


def test_a_model_that_knows_only_clean_speech_fails_when_it_is_degraded(corpus, reader):
    result = examine(corpus, reader, 0.2, {"clean": DEGRADATIONS["clean"], "babble": degradations.babble(5)})
    scores = result.parts["buzz"]
    assert scores["clean"].opening_r == pytest.approx(1)
    assert scores["clean"].closure_f1 == pytest.approx(1)
    assert scores["babble"].opening_r == 0
    assert scores["babble"].closure_f1 == 0
    assert not result.is_calm
    assert min(result.without_speech.values()) > 0.5
    table = robustness.as_tables(result)
    assert "| clean | 1.000 | 1.000 |" in table
    assert "| babble | 0.000 | 0.000 |" in table


def test_a_mouth_that_rests_without_speech_is_calm(corpus, reader):
    result = examine(corpus, reader, 0.0, {"clean": DEGRADATIONS["clean"]})
    assert result.is_calm
    assert max(result.without_speech.values()) < 0.05


def test_frames_before_the_clip_are_dropped(corpus, reader):
    class Late(Stand):
        def encode(self, waveform):
            return super().encode(SimpleNamespace(samples=waveform.samples[1280:]))

        def generate(self, features, track, speaker):
            motion = super().generate(features, track, speaker)
            return FaceMotion(np.pad(motion.expression, ((2, 0), (0, 0))), np.pad(motion.jaw, ((2, 0), (0, 0))), 25)

    pipeline = Late(corpus.clips(3), 0.0)
    clips = list(corpus.clips(3))
    gap = robustness._gap(pipeline, reader, clips, 1, "late", quieter_and_later)  # type: ignore[arg-type]
    assert gap == pytest.approx(reader.read(clips[1].reference("neutral", 2.0)).gap, abs=1e-4)


def test_clips_without_phones_are_refused(reader):
    with pytest.raises(InputError, match="phones are known"):
        robustness.examine_robustness(None, reader, [])


def test_the_command_prints_both_tables(open_head_model_folder, buzzing_part, tmp_path, capsys):
    output = tmp_path / "robustness.json"
    arguments = [str(open_head_model_folder), "--data", str(buzzing_part), "--limit", "1", "-o", str(output)]
    assert robustness.main(arguments) == 0
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in (*DEGRADATIONS, *SPEECHLESS_SOUNDS))
    assert output.stat().st_size > 100
    assert robustness.main(["nothing", "--data", str(buzzing_part)]) == 1
    assert "error: " in capsys.readouterr().err
