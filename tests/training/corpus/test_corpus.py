"""The synthesised corpus: the same for the same seed, phones where they sound, what augmentation keeps."""

import ast
import dataclasses
import importlib.util
import inspect
import json
import logging
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from emote_blender.errors import InputError
from emote_blender.training.corpus import label_check, phones
from emote_blender.training.corpus.engines import catalogue, espeak, festival_unseen, flite, foreign_phones
from emote_blender.training.corpus.generate import (
    FULL_CORPUS,
    SHARD_SECONDS,
    VARIED_CORPUS,
    CorpusPart,
    code_digest,
    generate_part,
    write_shard,
)
from emote_blender.training.corpus.text import sentences, varied_text
from emote_blender.training.data.augment.waveform import augment

needs_espeak = pytest.mark.skipif(not catalogue.is_available("espeak"), reason=f"needs espeak-ng: {catalogue.APT_LINE}")
needs_festival = pytest.mark.skipif(
    not catalogue.is_available("festival"), reason=f"needs festival: {catalogue.APT_LINE}"
)
needs_unseen = pytest.mark.skipif(
    not catalogue.is_available("festival_unseen"), reason=f"needs voices: {festival_unseen.APT_LINE_UNSEEN}"
)
needs_flite = pytest.mark.skipif(not catalogue.is_available("flite"), reason=f"needs flite: {catalogue.APT_LINE}")


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_sentences_are_the_same_for_the_same_seed():
    first, second = ([sentences.english_sentence(random.Random(3)) for _ in range(5)] for _ in range(2))
    assert first == second


@needs_espeak
def test_a_shard_made_again_is_the_same(tmp_path):
    part = CorpusPart("espeak", "espeak", 0.01, 5)
    (path,) = generate_part(part, tmp_path)
    before = read(path)
    path.unlink()
    generate_part(part, tmp_path)
    after = read(path)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@needs_espeak
def test_finished_shards_are_kept_and_missing_ones_made(tmp_path):
    part = CorpusPart("espeak", "espeak", 0.01, 5)
    first, second = generate_part(part, tmp_path, shard_seconds=18)
    made = first.stat().st_mtime_ns
    second.unlink()
    generate_part(part, tmp_path, shard_seconds=18)
    assert second.is_file()
    assert first.stat().st_mtime_ns == made


@needs_espeak
def test_settings_that_changed_make_the_shards_anew(tmp_path):
    (path,) = generate_part(CorpusPart("espeak", "espeak", 0.003, 5), tmp_path)
    before = read(path)
    generate_part(CorpusPart("espeak", "espeak", 0.003, 6), tmp_path)
    assert not np.array_equal(before["samples"], read(path)["samples"])


SHORT = CorpusPart("espeak", "espeak", 0.003, 5)
STAND_IN = b"a shard that was made before"


def shard_made_with(folder: Path, **entries) -> Path:
    """A shard of SHORT that is there already, with a record of the settings and code that it was made with."""
    path = folder / SHORT.name / "000.npz"
    path.parent.mkdir()
    path.write_bytes(STAND_IN)
    description = {**SHORT.__dict__, "shard_seconds": SHARD_SECONDS, **entries}
    (path.parent / "part.json").write_text(json.dumps(description, indent=1))
    return path


@needs_espeak
@pytest.mark.parametrize(
    "entries, message",
    [
        ({"code": "other"}, "espeak: the code that makes its speech changed; its shards are made again (1)"),
        ({"seed": 6}, "espeak: seed changed; its shards are made again (1)"),
    ],
)
def test_shards_of_other_code_or_settings_are_made_anew_after_it_was_said(tmp_path, entries, message):
    path = shard_made_with(tmp_path, **entries)
    said = []

    class Listener(logging.Handler):
        def emit(self, record):
            said.append((record.getMessage(), path.read_bytes() == STAND_IN))

    logger, listener = logging.getLogger("emote_blender.training.corpus.generate"), Listener()
    logger.addHandler(listener)
    try:
        generate_part(SHORT, tmp_path)
    finally:
        logger.removeHandler(listener)
    assert said[0] == (message, True)
    assert len(read(path)["samples"])
    assert json.loads((path.parent / "part.json").read_text())["code"] == code_digest("espeak")


@needs_espeak
@pytest.mark.parametrize("known", [False, True])
def test_shards_of_the_same_or_of_unknown_code_are_kept(tmp_path, caplog, known):
    path = shard_made_with(tmp_path, **({"code": code_digest("espeak")} if known else {}))
    generate_part(SHORT, tmp_path)
    assert path.read_bytes() == STAND_IN
    assert "made again" not in caplog.text


def test_the_digest_sees_code_and_not_its_comments(tmp_path, monkeypatch):
    def digest(source: str) -> str:
        path = tmp_path / f"module_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(catalogue, "sources", lambda engine: (module,))
        return code_digest("espeak")

    plain = digest("def words():\n    return 'a'\n")
    assert digest('"""Words."""\n\ndef words():\n    """A."""\n    return "a"  # one\n') == plain
    assert digest("def words():\n    return 'b'\n") != plain


@pytest.mark.parametrize(
    "engine",
    ["espeak_varied", "festival_varied", "flite_varied", "festival_unseen", "hibari", "kokoro", "kokoro_unseen", "joe"],
)
def test_the_digest_covers_all_that_an_engine_imports_of_the_corpus(engine):
    sources = catalogue.sources(engine)
    imported = set()
    for module in sources:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                imported |= {node.module} if node.module else {alias.name for alias in node.names}
    assert imported <= {module.__name__.rpartition(".")[2] for module in sources}


@needs_espeak
def test_the_pace_of_generation_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    generate_part(CorpusPart("espeak", "espeak", 0.003, 5), tmp_path)
    assert "hours of speech per minute" in caplog.text


@needs_espeak
def test_shards_count_whole_frames_and_phones_stay_within_their_utterance(tmp_path):
    path = tmp_path / "shard.npz"
    write_shard(CorpusPart("espeak", "espeak_languages", 0.01, 5), 0, 20.0, path)
    shard = read(path)
    assert len(shard["samples"]) == 640 * shard["frame_offsets"][-1]
    assert len(shard["speakers"]) == len(shard["frame_offsets"]) - 1 == len(shard["phone_offsets"]) - 1
    for i, (begin, end) in enumerate(zip(shard["phone_offsets"][:-1], shard["phone_offsets"][1:], strict=True)):
        seconds = (shard["frame_offsets"][i + 1] - shard["frame_offsets"][i]) / 25
        times = shard["phone_times"][begin:end]
        assert (np.diff(times[:, 0]) >= 0).all()
        assert times[-1, 1] <= seconds + 0.05


def check(engine: str, voice: str | None, count: int) -> label_check.LabelCheck:
    source = catalogue.utterances(engine, 11, (voice,) if voice else None)
    return label_check.check(next(source) for _ in range(count))


@needs_espeak
@pytest.mark.parametrize("engine", ["espeak", "espeak_varied"])
def test_espeak_phones_stand_where_they_sound(engine):
    assert check(engine, None, 30).passes


@needs_flite
@pytest.mark.parametrize("voice", sorted(flite.FLITE_PITCH))
def test_flite_phones_stand_where_they_sound(voice):
    assert check("flite", voice, 8).passes


@needs_flite
def test_varied_flite_phones_stand_where_they_sound():
    assert check("flite_varied", "slt", 8).passes


@needs_festival
def test_varied_festival_phones_stand_where_they_sound():
    assert check("festival_varied", "kal_diphone", 20).passes


@needs_unseen
@pytest.mark.parametrize("voice", ["lp_diphone", "czech_ph", "suo_fi_lj_diphone", "upc_ca_ona_hts"])
def test_unseen_voices_name_known_phones_that_stand_where_they_sound(voice):
    assert check("festival_unseen", voice, 10).passes


@needs_flite
@pytest.mark.parametrize("lag", [-0.05, 0.05])
def test_labels_that_are_off_do_not_pass(lag):
    source = catalogue.utterances("flite", 11, ("slt",))
    moved = [
        dataclasses.replace(u, phone_times=np.clip(u.phone_times + lag, 0, None)) for u, _ in zip(source, range(8))
    ]
    found = label_check.check(moved)
    assert found.lag_seconds == pytest.approx(-lag, abs=0.02)
    assert not found.passes


def test_an_unknown_phone_is_reported():
    with pytest.raises(ValueError, match="'qq'"):
        foreign_phones.classes_of("qq", foreign_phones.CZECH)


@pytest.mark.parametrize("voice", sorted(festival_unseen.VOICES))
def test_foreign_phones_are_among_the_classes(voice):
    table = festival_unseen.VOICES[voice].phone_classes
    assert {name for classes in table.values() for name in classes} <= set(phones.CLASSES)


def test_foreign_vowels_are_vowels_and_foreign_lips_meet():
    for table in (foreign_phones.ITALIAN, foreign_phones.CZECH, foreign_phones.FINNISH, foreign_phones.RUSSIAN):
        assert {"P", "B", "M"} <= {name for classes in table.values() for name in classes}
        for name, classes in table.items():
            assert (name[0] in "aeiouyE@7&O") == (classes[0] in phones.VOWELS) or name in ("#", "_", "##"), name


@pytest.fixture(scope="module")
def spoken() -> espeak.Espeak:
    return espeak.Espeak()


@needs_espeak
@pytest.mark.parametrize("language", sorted(varied_text.MORE_LANGUAGES))
def test_every_language_is_spoken_with_known_phones(spoken, language):
    rng = random.Random(5)
    symbols = []
    for _ in range(5):
        for phrase in varied_text.foreign_phrases(rng, varied_text.MORE_LANGUAGES[language]):
            symbols += [symbol for symbol, _, _ in spoken.say(phrase, language, 170, 50, 50)[1]]
    unknown = [symbol for symbol in symbols if not espeak.classes_of(symbol)]
    assert set(unknown) <= {"ʲ"}, unknown  # a consonant's softness has no class of its own


@needs_espeak
@pytest.mark.parametrize("voice", sorted(set(espeak.VARIED_ENGLISH)))
def test_every_accent_is_installed(spoken, voice):
    assert spoken.say("baby", f"{voice}+f2", 170, 50, 50) is not None


def test_unseen_engines_are_not_among_those_that_train():
    assert not set(catalogue.UNSEEN_ENGINES) & set(catalogue.ENGINES)
    assert not {part.engine for part in FULL_CORPUS + VARIED_CORPUS} & set(catalogue.UNSEEN_ENGINES)


def test_every_engine_of_a_family_is_held_out_with_it():
    assert {engine for engine in catalogue.ENGINES if catalogue.family(engine) == "flite"} == {"flite", "flite_varied"}


def test_the_licence_of_every_voice_is_noted():
    noted = " ".join(catalogue.LICENCES)
    voices = [
        voice
        for engine in (*catalogue.ENGINES, "festival_unseen", "kokoro_unseen")
        for voice in catalogue.voices_of(engine)
    ]
    assert all(voice in noted for voice in voices)


def test_a_missing_engine_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert shutil.which("flite") is None
    with pytest.raises(InputError, match="flite.*apt-get install"):
        catalogue.require_engines(("flite",))


def test_augmentation_keeps_the_shape_and_stays_finite_even_for_silence():
    samples = torch.zeros(6, 16000)
    samples[0] = torch.sin(torch.arange(16000) * 0.1)
    for amount in (0.0, 0.4, 1.0):
        changed = augment(samples, amount, torch.Generator().manual_seed(1))
        assert changed.shape == samples.shape
        assert torch.isfinite(changed).all()
        assert changed.abs().max() <= 1.01


def test_augmentation_is_the_same_for_the_same_generator_and_moves_no_sound():
    click = torch.zeros(6, 16000)
    click[:, 8000:8160] = torch.randn(160, generator=torch.Generator().manual_seed(2))
    first, second = (augment(click, 0.4, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    loudest = first.unfold(1, 160, 160).pow(2).sum(-1).argmax(1)
    assert (loudest - 50).abs().max() <= 1
