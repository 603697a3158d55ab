"""Recognisers from a folder: tiny models that recognise tones, run by ONNX Runtime (tests/data/make_recognisers.py)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="these tests run recognisers")

from emote_blender.errors import Cancelled, InputError, ModelError
from emote_blender.transcript.recognisers.onnx_families import find_onnx_model
from emote_blender.transcript.recognisers.onnx_folder import OnnxFolderRecogniser

RECOGNISERS = Path(__file__).parents[2] / "data" / "recognisers"
RATE = 16000
# Bands of frequencies, in Hz, that the tiny recognisers understand as parts of words.
HEL, LO, WORLD = (150, 600), (800, 2000), (2600, 7000)


def tone(band: tuple[int, int], seconds: float = 0.24) -> np.ndarray:
    """Noise in a band."""
    num_samples = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(num_samples))
    frequencies = np.fft.rfftfreq(num_samples, 1 / RATE)
    spectrum[(frequencies < band[0]) | (frequencies > band[1])] = 0
    noise = np.fft.irfft(spectrum, num_samples)
    fade = np.clip(np.minimum(np.arange(num_samples), np.arange(num_samples)[::-1]) / (0.02 * RATE), 0, 1)
    return (0.3 * fade * noise / np.abs(noise).max()).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return (1e-4 * np.random.default_rng(3).standard_normal(round(seconds * RATE))).astype(np.float32)


def spoken(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([silence(0.5), *parts, silence(0.5)])


# From 0.5 to 0.98 s, and from 1.98 to 2.22 s.
HELLO_WORLD = spoken(tone(HEL), tone(LO), silence(1.0), tone(WORLD))


@pytest.fixture
def copied(tmp_path):
    """A function that gives a copy of a tiny recogniser's folder."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(RECOGNISERS / name, tmp_path / name))

    return copy


@pytest.fixture(scope="module")
def opened():
    return {name: OnnxFolderRecogniser(RECOGNISERS / name) for name in ("nemo_ctc", "parakeet", "whisper")}


def test_tokens_with_times_become_words_with_times(opened):
    recognition = opened["nemo_ctc"].recognise(HELLO_WORLD)
    first, second, *_ = recognition.words
    assert (first.text, second.text) == ("hello", "world")
    # "hello" is spoken from 0.5 to 0.98 s, "world" from 1.98 to 2.22 s; a token lasts 80 ms, a word's end is not told.
    assert first.start_seconds == pytest.approx(0.5, abs=0.09)
    assert 0.9 < first.end_seconds < 1.98
    assert second.start_seconds == pytest.approx(1.98, abs=0.09)
    assert all(0 < word.confidence <= 1 for word in recognition.words)


def test_times_are_those_of_the_whole_sound_after_a_long_pause(opened):
    sound = np.concatenate([spoken(tone(HEL), tone(LO)), silence(40.0), spoken(tone(WORLD))])
    words = opened["nemo_ctc"].recognise(sound).words
    world = next(word for word in words if word.text == "world")
    assert world.start_seconds == pytest.approx(0.5 + 0.48 + 0.5 + 40 + 0.5, abs=0.09)


@pytest.mark.parametrize("name", ["nemo_ctc", "gigaam", "vosk"])
def test_families_with_token_times_recognise_the_same(name):
    words = OnnxFolderRecogniser(RECOGNISERS / name).recognise(HELLO_WORLD).words
    assert [word.text for word in words] == ["hello", "world"]
    assert [word.start_seconds for word in words] == pytest.approx([0.5, 1.98], abs=0.09)


@pytest.mark.parametrize("name", ["whisper_ort", "canary"])
def test_families_without_times_recognise_the_same(name):
    words = OnnxFolderRecogniser(RECOGNISERS / name).recognise(HELLO_WORLD).words
    assert [word.text for word in words] == ["hello", "world"]
    assert 0.2 < words[0].start_seconds < words[1].start_seconds < words[1].end_seconds < 2.6


def test_a_model_of_8_khz_gets_sound_of_its_own_rate():
    recognition = OnnxFolderRecogniser(RECOGNISERS / "t_one").recognise(spoken(tone(HEL), silence(1.0), tone(HEL)))
    assert (set(recognition.text), recognition.language) == ({"a"}, "ru")
    assert recognition.words[0].start_seconds == pytest.approx(0.5, abs=0.05)


def test_canary_writes_the_language_that_is_asked_for():
    canary = OnnxFolderRecogniser(RECOGNISERS / "canary")
    assert canary.languages == ("de", "en")
    assert canary.recognise(HELLO_WORLD, "de-CH").text == "hallo Welt"
    assert (canary.recognise(HELLO_WORLD).text, canary.recognise(HELLO_WORLD).language) == ("hello world", "en-us")
    with pytest.raises(InputError, match="understands de, en, not fr"):
        canary.recognise(HELLO_WORLD, "fr")


def test_parakeet_is_decoded_by_tokens_and_durations(opened):
    words = opened["parakeet"].recognise(spoken(tone(WORLD, 0.12), silence(0.6), tone(WORLD, 0.12))).words
    assert [word.text for word in words] == ["world", "world"]
    assert words[1].start_seconds - words[0].start_seconds == pytest.approx(0.72, abs=0.09)


@pytest.mark.parametrize("band, language, text", [(HEL, "en-us", "hello world"), (WORLD, "de", "hallo Welt")])
def test_whisper_finds_out_which_language_is_spoken(opened, band, language, text):
    recognition = opened["whisper"].recognise(spoken(tone(band, 1.0)))
    assert (recognition.text, recognition.language) == (text, language)


def test_words_without_times_lie_over_the_speech(opened):
    words = opened["whisper"].recognise(spoken(tone(WORLD, 1.0))).words
    assert 0.2 < words[0].start_seconds < 0.55
    assert 1.45 < words[-1].end_seconds < 1.8
    assert words[0].end_seconds == words[1].start_seconds


def test_words_without_times_do_not_lie_in_pauses(opened):
    words = opened["whisper"].recognise(spoken(tone(HEL, 1.0), silence(1.5), tone(HEL, 1.0))).words
    assert words[0].end_seconds < 2.0
    assert words[-1].end_seconds > 3.0
    assert [word.start_seconds for word in words] == sorted(word.start_seconds for word in words)


def test_a_given_language_is_used_and_kept(opened):
    recognition = opened["whisper"].recognise(spoken(tone(HEL, 1.0)), "de-AT")
    assert recognition.language == "de-AT"


def test_a_language_that_the_recogniser_does_not_know_is_refused(opened):
    with pytest.raises(InputError, match="does not know the language 'xx'"):
        opened["whisper"].recognise(spoken(tone(HEL, 1.0)), "xx")


def test_silence_has_no_words(opened):
    assert opened["nemo_ctc"].recognise(silence(3.0)).words == ()
    assert opened["whisper"].recognise(np.zeros(3 * RATE, np.float32)).words == ()


@pytest.mark.parametrize("name", ["nemo_ctc", "whisper"])
def test_cancelling_ends_the_work(opened, name):
    sound = np.concatenate([spoken(tone(HEL, 1.0)), silence(3)] * 5)
    calls = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 3

    with pytest.raises(Cancelled):
        opened[name].recognise(sound, cancelled=cancelled)
    assert len(calls) == 4


def test_what_whisper_is_not_sure_of_is_left_out(copied):
    folder = copied("whisper")
    path = folder / "onnx" / "decoder_model_merged_quantized.onnx"
    content = path.read_bytes()
    for logit in (60, 30, 4):  # the largest stays the largest, but hardly likelier than the others
        content = content.replace(np.float32(logit).tobytes(), np.float32(logit / 100).tobytes())
    path.write_bytes(content)
    assert OnnxFolderRecogniser(folder).recognise(spoken(tone(HEL, 1.0))).words == ()


def test_a_model_without_memory_for_it_is_one_sentence(copied, monkeypatch):
    recogniser = OnnxFolderRecogniser(copied("nemo_ctc"))

    def allocate(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(recogniser._model, "recognize_batch", allocate)
    with pytest.raises(ModelError, match="not enough memory for NeMo CTC .* choose a smaller recogniser"):
        recogniser.recognise(HELLO_WORLD)


def test_progress_goes_from_none_to_all(opened):
    fractions = []
    opened["nemo_ctc"].recognise(
        np.concatenate([spoken(tone(HEL)), silence(3)] * 3), progress=lambda f, _: fractions.append(f)
    )
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert len(fractions) > 2


def test_nothing_reaches_the_network_nor_imports_its_library(tmp_path):
    np.save(tmp_path / "sound.npy", spoken(tone(WORLD)))
    code = f"""
import sys
def refuse(event, arguments):
    if event.startswith("socket.") or (event == "import" and arguments[0].split(".")[0] == "huggingface_hub"):
        raise RuntimeError(event + str(arguments))
sys.addaudithook(refuse)
import numpy as np
from emote_blender.transcript.recognisers.onnx_folder import OnnxFolderRecogniser
for name in ("nemo_ctc", "parakeet", "whisper"):
    recogniser = OnnxFolderRecogniser({str(RECOGNISERS)!r} + "/" + name)
    print(len(recogniser.recognise(np.load({str(tmp_path / "sound.npy")!r}), "en").words) > 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True"] * 3, done.stderr


def test_a_card_names_the_recogniser_and_its_languages(copied):
    folder = copied("parakeet")
    (folder / "recogniser.json").write_text(json.dumps({"title": "Parrot", "languages": ["en", "de"]}))
    recogniser = OnnxFolderRecogniser(folder)
    assert (recogniser.name, recogniser.languages) == ("Parrot", ("en", "de"))
    with pytest.raises(InputError, match="Parrot understands en, de, not fr"):
        recogniser.recognise(spoken(tone(HEL)), "fr")
    recogniser.recognise(spoken(tone(HEL)), "en-us")


def test_full_precision_is_used_where_there_is_nothing_smaller(copied):
    folder = copied("parakeet")
    for file in folder.glob("*.int8.onnx"):
        file.rename(folder / file.name.replace(".int8", ""))
    assert find_onnx_model(folder).precision == ""
    assert OnnxFolderRecogniser(folder).recognise(spoken(tone(WORLD, 0.12))).text == "world"


def test_parts_of_a_model_may_have_two_precisions(copied):
    folder = copied("whisper")
    (folder / "onnx" / "encoder_model_quantized.onnx").rename(folder / "onnx" / "encoder_model.onnx")
    assert OnnxFolderRecogniser(folder).recognise(spoken(tone(HEL, 1.0))).text == "hello world"


def missing(folder: Path) -> Path:
    return folder / "nowhere"


def a_file(folder: Path) -> Path:
    return folder / "config.json"


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def without(name: str):
    def change(folder: Path) -> None:
        (folder / name).unlink()

    return change


def cut(name: str):
    def change(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return change


def written(name: str, content: str | bytes):
    def change(folder: Path) -> None:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def half_there(folder: Path) -> None:
    (folder / "model.onnx").rename(folder / "model.onnx.part")


def replaced(name: str, old: bytes, new: bytes):
    """Bytes of the same length in the place of others."""

    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert content.count(old) > 0
        assert len(old) == len(new)
        (folder / name).write_bytes(content.replace(old, new))

    return change


@pytest.mark.parametrize(
    "change, sentence",
    [
        (missing, "nowhere not found"),
        (a_file, "is a file; choose the folder"),
        (emptied, "is empty"),
        (without("model.onnx"), "holds no .onnx file"),
        (without("vocab.txt"), "vocab.txt not found, the vocabulary of NeMo CTC"),
        (half_there, r"half downloaded \(model.onnx.part\)"),
        (cut("model.onnx"), "damaged or half downloaded"),
        (written("model.onnx", b""), "is empty, no ONNX file"),
        (written("model.onnx", "<!DOCTYPE html>"), "is a text, no ONNX file"),
        (written("model.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "pointer of Git LFS"),
        (written("model.onnx", b"\x00" * 1000), "damaged|no ONNX graph"),
        (written("vocab.txt", ""), "vocab.txt is empty"),
        (written("vocab.txt", "no numbers here\n"), "cannot be loaded"),
        (written("vocab.txt", b"\xff\xfe\x00"), "cannot be loaded"),
        (written("config.json", "{"), "config.json is no JSON"),
        (written("config.json", "[]"), "config.json holds no object"),
        (written("config.json", "[" * 100_000), "config.json is no JSON"),
        (written("config.json", '{"a": "' + "x" * (2 << 20) + '"}'), "larger than 1 MB"),
        (written("config.json", '{"features_size": "../../x"}'), "features_size must be a number"),
        (written("config.json", '{"features_size": 77}'), "cannot be loaded"),
        (replaced("model.onnx", b"logprobs", b"pictures"), "is no graph of .* another kind of model"),
        (replaced("model.onnx", b"AveragePool", b"AveragePxxl"), "cannot be loaded"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(copied, change, sentence):
    folder = copied("nemo_ctc")
    folder = change(folder) or folder
    with pytest.raises(ModelError, match=sentence) as raised:
        OnnxFolderRecogniser(folder)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_transducer_without_its_config_is_refused(copied):
    folder = copied("parakeet")
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match="config.json not found, without which Parakeet TDT cannot be used"):
        OnnxFolderRecogniser(folder)


def test_one_graph_of_two_is_not_enough(copied):
    folder = copied("parakeet")
    (folder / "decoder_joint-model.int8.onnx").unlink()
    with pytest.raises(ModelError, match="lacks decoder_joint-model.onnx of Parakeet TDT"):
        OnnxFolderRecogniser(folder)


def test_half_precision_alone_is_refused(copied):
    folder = copied("parakeet")
    name = "decoder_joint-model{}.onnx"
    (folder / name.format(".int8")).rename(folder / name.format(".fp16"))
    with pytest.raises(ModelError, match="half precision as in decoder_joint-model.fp16.onnx does not run here"):
        OnnxFolderRecogniser(folder)


def test_the_open_speech_model_is_no_recogniser():
    model = Path(__file__).parents[3] / "models" / "emote_open"
    with pytest.raises(ModelError, match="choose a folder with a speech recogniser"):
        OnnxFolderRecogniser(model)


def test_whisper_without_its_own_tokens_is_refused(copied):
    folder = copied("whisper")
    (folder / "added_tokens.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be loaded .*startoftranscript"):
        OnnxFolderRecogniser(folder)


def message(number: int, content: bytes) -> bytes:
    """A field of a protobuf message that holds bytes."""
    size, length = len(content), b""
    while size >= 128:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def external_weights(place: str, offset: int = 0, length: int = 16) -> bytes:
    """A tensor whose bytes are in another file."""
    entries = {"location": place, "offset": str(offset), "length": str(length)}
    return b"".join(
        message(13, message(1, key.encode()) + message(2, value.encode())) for key, value in entries.items()
    )


def add_weights(path: Path, tensor: bytes, inner: bool = False) -> None:
    """Append a tensor to a graph: an initializer, or one inside the attribute of a node of an inner graph."""
    if inner:
        attribute = message(6, message(1, message(5, message(5, tensor))))  # a graph with a node with a tensor
        graph = message(1, message(5, attribute))
    else:
        graph = message(5, tensor)
    path.write_bytes(path.read_bytes() + message(7, graph))  # two graphs are merged, says protobuf


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize(
    "place",
    ["../secret", "/etc/passwd", "C:\\secret", "C:secret", "a/../../secret", "*/_ORT_MEM_ADDR_/*", "..\\secret", ""],
)
def test_weights_outside_the_folder_are_never_read(copied, place, inner):
    folder = copied("nemo_ctc")
    (folder.parent / "secret").write_bytes(bytes(16))
    add_weights(folder / "model.onnx", external_weights(place), inner)
    with pytest.raises(ModelError, match="outside its folder"):
        OnnxFolderRecogniser(folder)


@pytest.mark.parametrize("place", ["a b-c+d=1.data", "weights/0", "größe.bin", "encoder_model.onnx_data"])
def test_weights_may_have_any_name_below_the_folder(copied, place):
    folder = copied("nemo_ctc")
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(bytes(16))
    add_weights(folder / "model.onnx", external_weights(place))
    assert find_onnx_model(folder).num_bytes == (folder / "model.onnx").stat().st_size + 16


def test_weights_in_a_file_beside_are_checked(copied):
    folder = copied("nemo_ctc")
    add_weights(folder / "model.onnx", external_weights("model.onnx.data", 100, 50))
    with pytest.raises(ModelError, match="model.onnx.data not found"):
        find_onnx_model(folder)
    (folder / "model.onnx.data").write_bytes(bytes(149))
    with pytest.raises(ModelError, match=r"model.onnx.data is half downloaded \(149 of at least 150 bytes\)"):
        find_onnx_model(folder)
    (folder / "model.onnx.data").write_bytes(bytes(150))
    assert find_onnx_model(folder).num_bytes == (folder / "model.onnx").stat().st_size + 150


def test_graphs_inside_graphs_end_the_search(copied):
    folder = copied("nemo_ctc")
    graph = b""
    for _ in range(200):
        graph = message(1, message(5, message(6, graph)))
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes() + message(7, graph))
    with pytest.raises(ModelError, match="graphs in graphs without end"):
        find_onnx_model(folder)


def test_files_that_the_hub_keeps_as_links_are_read(copied, tmp_path):
    folder = copied("nemo_ctc")
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(blobs / str(number))
        try:
            file.symlink_to(blobs / str(number))
        except OSError:
            pytest.skip("this system has no links for this user")
    assert OnnxFolderRecogniser(folder).recognise(spoken(tone(WORLD))).words


def test_all_cuts_of_a_graph_are_refused_in_one_sentence(copied):
    folder = copied("nemo_ctc")
    whole = (folder / "model.onnx").read_bytes()
    for size in range(0, len(whole), 37):
        (folder / "model.onnx").write_bytes(whole[:size])
        with pytest.raises(ModelError):
            OnnxFolderRecogniser(folder)
