"""The engine of the add-on against recorded numbers, without torch; and what it refuses."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import Waveform, load_audio
from emote_blender.emotion import EmotionTrack
from emote_blender.engine.onnx import OnnxEngine
from emote_blender.engine.open_engine import open_engine
from emote_blender.errors import InputError, ModelError
from emote_blender.files.paths import find_model
from emote_blender.files.safetensors_file import read_tensors, write_tensors
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.speech_model.config import load_config
from emote_blender.speech_model.graphs import SHIPPED_GRAPHS

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5  # float32 sums in another order; see tests/emote/test_parity.py
CLIPS = {
    "clean_1p0_anger_i2_id5": "1p0.wav",
    "clean_3p37_happy_i1_id31": "3p37.wav",
    "clean_3p37_interp": "3p37.wav",
}


@pytest.fixture(scope="module")
def reference_engine(reference_folder) -> OnnxEngine:
    """EMOTE with the recorded weights."""
    return OnnxEngine(reference_folder)


@pytest.fixture(scope="module")
def open_engine_() -> OnnxEngine:
    """The open model."""
    return OnnxEngine(find_model("emote_open"))


@pytest.fixture(params=CLIPS)
def clip(request, reference):
    """Samples (N,) in [-1, 1] and the recorded tensors of a clip."""
    recorded = read_tensors(reference / f"emote/{request.param}.safetensors")
    samples = load_audio(reference / "emote" / CLIPS[request.param]).samples
    return samples[: recorded["condition"].shape[1] * 640], recorded


def difference(found, expected):
    assert found.shape == expected.shape
    return np.abs(found - expected).max()


def test_features_match_the_recorded_ones(clip, reference_engine):
    samples, recorded = clip
    features = reference_engine.encode(samples, recorded["condition"].shape[1])
    assert difference(features, recorded["audio_feature"][0]) < TOLERANCE


def test_motion_matches_the_recorded_one_from_waveform_on(clip, reference_engine):
    samples, recorded = clip
    features = reference_engine.encode(samples, recorded["condition"].shape[1])
    motion = reference_engine.motion(features, recorded["condition"][0])
    expected = np.concatenate([recorded["predicted_exp"], recorded["predicted_jaw"]], axis=-1)[0]
    assert difference(motion, expected) < TOLERANCE


def test_statistics_of_a_clip_are_those_that_it_is_normalised_by(clip, reference_engine):
    samples, recorded = clip
    num_frames = recorded["condition"].shape[1]
    statistics = reference_engine.clip_statistics(samples)
    assert (
        difference(reference_engine.encode(samples, num_frames, statistics), recorded["audio_feature"][0]) < TOLERANCE
    )


def test_phones_that_are_given_change_the_features_and_zeros_do_not(open_engine_, speech_samples):
    plain = open_engine_.encode(speech_samples, 25)
    zeros = open_engine_.encode(speech_samples, 25, None, np.zeros((50, 39), np.float32))
    given = open_engine_.encode(speech_samples, 25, None, np.eye(39, dtype=np.float32)[[5] * 50])
    assert np.array_equal(plain, zeros)
    assert np.abs(plain - given).max() > 0.1


def test_phone_posteriors_are_probabilities_at_50_hz(open_engine_, speech_samples):
    posteriors = open_engine_.phone_posteriors(speech_samples, 25)
    assert posteriors.shape == (50, 39)
    assert np.allclose(posteriors.sum(1), 1.0, atol=1e-5)
    assert posteriors.min() >= 0


@pytest.mark.parametrize("method", ["encode", "phone_posteriors"])
def test_an_encoder_without_a_phone_head_takes_no_phones(reference_engine, speech_samples, method):
    phones = () if method == "phone_posteriors" else (None, np.zeros((50, 39), np.float32))
    with pytest.raises(ValueError, match="without a phone head"):
        getattr(reference_engine, method)(speech_samples, 25, *phones)


def test_threads_may_share_an_engine(open_engine_, speech_samples):
    expected = open_engine_.encode(speech_samples, 25)
    found = [None] * 4

    def work(index):
        found[index] = open_engine_.encode(speech_samples, 25)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(features, expected) for features in found)


def test_the_weights_file_is_free_again_once_the_model_is_loaded(make_tiny_folder, tmp_path, speech_samples):
    folder = make_tiny_folder(tmp_path / "tiny")
    engine = OnnxEngine(folder)
    expected = engine.encode(speech_samples, 25)
    weights = folder / "model.safetensors"
    weights.write_bytes(bytes(weights.stat().st_size))
    assert np.array_equal(engine.encode(speech_samples, 25), expected)


def test_half_precision_weights_are_widened(make_tiny_folder, tmp_path, speech_samples):
    folder = make_tiny_folder(tmp_path / "tiny")
    tensors = read_tensors(folder / "model.safetensors")
    narrow = {name: array.astype(np.float16) if array.dtype == np.float32 else array for name, array in tensors.items()}
    write_tensors(folder / "model.safetensors", narrow)
    found = OnnxEngine(folder).encode(speech_samples, 25)
    wide = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in narrow.items()}
    write_tensors(folder / "model.safetensors", wide)
    assert np.array_equal(found, OnnxEngine(folder).encode(speech_samples, 25))


def test_old_names_of_a_weight_normed_convolution_are_read(
    reference_folder, reference_engine, tmp_path, speech_samples
):
    tensors = read_tensors(reference_folder / "model.safetensors")
    for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
        (name,) = (name for name in tensors if name.endswith(new))
        tensors[name.replace(f"parametrizations.weight.{new}", old)] = tensors.pop(name)
    (tmp_path / "config.json").write_bytes((reference_folder / "config.json").read_bytes())
    write_tensors(tmp_path / "model.safetensors", tensors)
    found = OnnxEngine(tmp_path).encode(speech_samples, 25)
    assert np.array_equal(found, reference_engine.encode(speech_samples, 25))


def test_the_engine_imports_nothing_but_numpy_and_onnxruntime():
    heavy = ("torch", "transformers", "safetensors", "scipy", "onnx", "sympy", "yaml")
    program = f"""
import sys
from emote_blender.pipeline import EMOTEPipeline
assert "onnxruntime" not in sys.modules
pipeline = EMOTEPipeline.from_pretrained()
import numpy as np
from emote_blender.audio import Waveform
from emote_blender.emotion import EmotionTrack
features = pipeline.encode(Waveform(np.zeros(16000, np.float32), 16000))
pipeline.generate(features, EmotionTrack.constant("happy"))
print([name for name in {heavy!r} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


class TestRefusals:
    """One sentence each, before anything is computed."""

    def damage(self, folder, change) -> Path:
        """The folder with changed tensors."""
        tensors = read_tensors(folder / "model.safetensors")
        change(tensors)
        write_tensors(folder / "model.safetensors", tensors)
        return folder

    @pytest.fixture
    def folder(self, make_tiny_folder, tmp_path):
        return make_tiny_folder(tmp_path / "tiny")

    @pytest.mark.parametrize(
        "change, words",
        [
            (lambda t: t.pop("audio_model.stem.0.bias"), "missing audio_model.stem.0.bias"),
            (lambda t: t.update(extra=np.zeros(3)), "unexpected extra"),
            (
                lambda t: t.update({"audio_model.stem.0.bias": np.zeros(7, np.float32)}),
                r"wrong shape or type audio_model.stem.0.bias \(7,\) instead of \(16,\)",
            ),
            (
                lambda t: t.update({"audio_model.stem.0.bias": np.full(16, np.nan, np.float32)}),
                "values that are not numbers in audio_model.stem.0.bias",
            ),
            (
                lambda t: t.update({"audio_model.stem.0.bias": np.zeros(16, np.int32)}),
                "wrong shape or type audio_model.stem.0.bias of type int32",
            ),
        ],
    )
    def test_weights_that_do_not_fit_are_named(self, folder, change, words):
        with pytest.raises(ModelError, match=rf"model\.safetensors does not fit its config\.json: {words}"):
            OnnxEngine(self.damage(folder, change))

    def test_weights_of_another_model(self, folder, reference_folder):
        (folder / "model.safetensors").write_bytes((reference_folder / "model.safetensors").read_bytes())
        with pytest.raises(ModelError, match=r"does not fit its config\.json: missing .*; unexpected .*; wrong shape"):
            OnnxEngine(folder)

    def test_weights_of_another_number_of_speakers(self, folder):
        values = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**values, "speakers": ["A"]}))
        with pytest.raises(ModelError, match=r"obj_vector\.map\.weight \(16, 14\) instead of \(16, 12\)"):
            OnnxEngine(folder)

    @pytest.mark.parametrize("kept", [0, 4, 100, 50_000])
    def test_weights_that_are_cut_short(self, folder, kept):
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:kept])
        with pytest.raises(ModelError, match=r"model\.safetensors (is truncated|is not a safetensors)"):
            OnnxEngine(folder)

    def test_weights_that_are_missing(self, folder):
        (folder / "model.safetensors").unlink()
        with pytest.raises(ModelError, match=r"model\.safetensors not found"):
            OnnxEngine(folder)

    def test_an_architecture_without_a_graph_says_what_makes_one(self, folder):
        for path in (folder / "graphs").iterdir():
            path.unlink()
        with pytest.raises(ModelError, match=r"no ONNX graph is here .* tiny_log_mel .*convert graphs"):
            OnnxEngine(folder)

    def test_a_file_that_is_no_graph_with_a_matching_description(self, folder):
        """What the digest cannot see, ONNX Runtime refuses."""
        import hashlib

        content = b"no graph at all"
        for path in (folder / "graphs").glob("*.onnx"):
            description = path.with_suffix(".json")
            old = hashlib.sha256(path.read_bytes()).hexdigest()
            path.write_bytes(content)
            text = description.read_text().replace(old, hashlib.sha256(content).hexdigest())
            description.write_text(text)
        with pytest.raises(ModelError, match=r"ONNX Runtime \S+ cannot open .*\.onnx"):
            OnnxEngine(folder)

    def test_a_graph_of_another_model_under_the_description(self, folder, reference_folder):
        """Weights that the graph declares with other shapes never run."""
        import hashlib

        (path,) = (folder / "graphs").glob("log_mel_*.onnx")
        description, content = path.with_suffix(".json"), (SHIPPED_GRAPHS / self.shipped("log_mel")).read_bytes()
        text = description.read_text().replace(
            hashlib.sha256(path.read_bytes()).hexdigest(), hashlib.sha256(content).hexdigest()
        )
        path.write_bytes(content)
        description.write_text(text)
        with pytest.raises(ModelError, match=r"ONNX Runtime \S+ cannot open .*\.onnx"):
            OnnxEngine(folder)

    def shipped(self, kind) -> str:
        """Name of a shipped graph of this kind."""
        return next(path.name for path in sorted(SHIPPED_GRAPHS.glob(f"{kind}_*.onnx")))

    @pytest.mark.parametrize(
        "engine, device, words",
        [
            ("tensorflow", "cpu", "unknown engine 'tensorflow'; choose onnx or torch"),
            ("onnx", "cuda", "runs on the CPU"),
        ],
    )
    def test_an_engine_or_device_that_there_is_not(self, folder, engine, device, words):
        with pytest.raises(InputError, match=words):
            open_engine(folder, engine, device)


def said_with_runtime(tmp_path: Path, source: str | None) -> str:
    """What the command line says on stderr where onnxruntime is a module with this source; None: not installed."""
    blocked = "sys.modules['onnxruntime'] = None" if source is None else f"sys.path.insert(0, {str(tmp_path)!r})"
    if source is not None:
        (tmp_path / "onnxruntime").mkdir()
        (tmp_path / "onnxruntime/__init__.py").write_text(source)
    program = f"""
import sys
{blocked}
from emote_blender.cli.main import main
sys.exit(main(["generate", {str(ROOT / "tests/data/anger_line.wav")!r}, "-o", {str(tmp_path / "x.npz")!r}]))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert result.returncode == 1, result.stderr
    assert not (tmp_path / "x.npz").exists()
    assert "Traceback" not in result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_a_missing_runtime_is_named_with_what_to_do(tmp_path):
    said = said_with_runtime(tmp_path, None)
    assert said.startswith("error: the Python library onnxruntime is not installed; install the add-on's zip")


@pytest.mark.once
@pytest.mark.parametrize(
    "source",
    [
        "raise ImportError('DLL load failed while importing onnxruntime_pybind11_state: not found')",
        "raise OSError('[WinError 193] %1 is not a valid Win32 application')",
        "raise RuntimeError('module compiled against ABI version 0x2000000')",
    ],
)
def test_a_runtime_that_cannot_be_loaded_here_is_said(tmp_path, source):
    said = said_with_runtime(tmp_path, source)
    assert said.startswith("error: ONNX Runtime cannot be loaded on this machine (")
    assert "install the add-on's zip" in said


@pytest.mark.once
def test_another_extensions_older_runtime_is_said_with_its_place(tmp_path):
    source = "__version__ = '1.9.0'\nclass InferenceSession: pass\nclass SessionOptions: pass\nclass RunOptions: pass\n"
    said = said_with_runtime(tmp_path, source + "class OrtValue: pass\n")
    assert "the onnxruntime that is loaded (1.9.0, " in said
    assert "lacks SessionOptions.add_external_initializers" in said
    assert str(tmp_path) in said


def test_an_empty_folder_of_the_runtimes_name_is_said(tmp_path):
    """What is left where files of an extension could not be deleted."""
    (tmp_path / "onnxruntime").mkdir()
    program = f"""
import sys
sys.path[:] = [{str(ROOT)!r}, {str(tmp_path)!r}] + [path for path in sys.path if "site-packages" not in path]
sys.path.append({str(Path(np.__file__).parents[1])!r})
import numpy
sys.path.pop()
from emote_blender.engine.onnx import load_runtime
from emote_blender.errors import ModelError
try:
    load_runtime()
except ModelError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert "(of an unknown version, an empty folder) lacks InferenceSession" in result.stdout


@pytest.mark.once
def test_a_long_clip_in_short_windows_stays_close_to_one_window(open_engine_):
    clip = load_audio(ROOT / "tests/data/anger_line.wav")
    long_clip = Waveform(np.tile(clip.samples, 6), clip.sample_rate)
    one, several = EMOTEPipeline(open_engine_, window_frames=1000), EMOTEPipeline(open_engine_)
    track = EmotionTrack.constant("anger", 2)
    expected, found = (pipeline.generate(pipeline.encode(long_clip), track).expression for pipeline in (one, several))
    assert np.abs(found - expected).mean() < 0.1 * expected.std()


@pytest.mark.once
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell a process's memory")
def test_memory_goes_back_to_the_system_after_a_run():
    """Of 40 s encoded at once about 30 MB stay, 350 MB where ONNX Runtime's arena keeps what it took."""
    program = """
import resource
import numpy as np
from emote_blender.engine.onnx import OnnxEngine
from emote_blender.files.paths import find_model
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
engine = OnnxEngine(find_model("emote_open"))
before = megabytes()
for _ in range(2):
    engine.encode(np.sin(np.arange(1000 * 640, dtype=np.float32)), 1000)
print(megabytes() - before)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 150


@pytest.mark.once
def test_every_shipped_graph_opens_with_random_weights(open_engine_, tmp_path):
    """Of both published models at official size: a graph that a runtime refuses would be found only by its users."""
    from test_graphs import official_config
    from tiny_models import write_random_model

    open_config = load_config(find_model("emote_open"))
    for num_expression, post_bug_fix in ((50, False), (100, True)):
        config = official_config(open_config, num_expression, post_bug_fix)
        engine = OnnxEngine(write_random_model(config, tmp_path / f"official{num_expression}"))
        samples = np.sin(np.arange(1280, dtype=np.float32))
        motion = engine.motion(engine.encode(samples, 2), np.full((2, config.num_conditions), 0.1, np.float32))
        assert motion.shape == (2, num_expression + 3)
        assert np.isfinite(motion).all()
