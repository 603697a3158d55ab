"""Official checkpoints, as look-alikes with the recorded random weights, to model folders."""

import copy
import json
import pickle
import subprocess
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from emote_blender.audio import load_audio
from emote_blender.cli.main import main
from emote_blender.emote.checkpoint import load_model
from emote_blender.emote.motion_prior import load_motion_prior
from emote_blender.emotion import EmotionTrack
from emote_blender.engine.open_engine import open_engine
from emote_blender.errors import Cancelled, InputError
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion
from emote_blender.official.emote import convert_emote, state_dict_of
from emote_blender.official.flint import convert_flint
from emote_blender.official.settings import emote_config, read_settings
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.speech_model.config import Wav2Vec2EncoderConfig

pytestmark = pytest.mark.torch

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5  # float32 sums in another order; see test_parity.py
DECODER = {
    "type": "BertPriorDecoder",
    "num_layers": 1,
    "feature_dim": 128,
    "nhead": 8,
    "dropout": 0.25,
    "activation": "gelu",
    "period": 30,
    "squash_before": False,
    "squash_after": True,
    "squash_type": "stack_linear",
    "style_op": "cat",
    "positional_encoding": {"type": "none"},
    "temporal_bias_type": "faceformer_future",
    "post_bug_fix": True,
    "flame": {"n_shape": 300, "n_exp": 100},
    "style_embedding": {"type": "emotion_linear", "n_intensities": 3, "n_identities": 32, "n_expression": 8},
}
SETTINGS = {
    "model": {
        "pl_module_class": "FaceFormer",
        "sizes": {"n_exp": 50},
        "audio": {"type": "wav2vec2", "model_specifier": "tiny_wav2vec2"},
        "sequence_encoder": {"type": "linear", "feature_dim": 128},
        "sequence_decoder": DECODER,
    }
}
FLINT_HALF = {"num_layers": 1, "feature_dim": 128, "intermediate_size": 384, "nhead": 8, "activation": "gelu"}
FLINT_SETTINGS = {
    "model": {
        "pl_module_class": "L2lVqVae",
        "sizes": {"quant_factor": 3},
        "sequence_components": {"exp": 100, "jaw": "rot"},
        "sequence_encoder": {"type": "L2lEncoderWithGaussianHead", **FLINT_HALF},
        "sequence_decoder": FLINT_HALF,
    }
}


@pytest.fixture
def lightning(monkeypatch):
    """A class called as Lightning's callback, which is there only while the look-alike is written."""
    name = "pytorch_lightning.callbacks.model_checkpoint"
    made = type("ModelCheckpoint", (), {"__module__": name})
    modules = {part: types.ModuleType(part) for part in ("pytorch_lightning", "pytorch_lightning.callbacks", name)}
    modules[name].__dict__["ModelCheckpoint"] = made
    with monkeypatch.context() as patch:
        for part, module in modules.items():
            patch.setitem(sys.modules, part, module)
        yield made


@pytest.fixture
def official_state(reference_model, flame_model):
    """A state dict with the official names: the recorded weights, FLAME and the renderer's extras."""
    state = OrderedDict()
    for key, tensor in reference_model.state_dict().items():
        key = key.replace("parametrizations.weight.original0", "weight_g")
        state[key.replace("parametrizations.weight.original1", "weight_v")] = tensor.clone()
    arrays = {
        "v_template": flame_model.v_template,
        "faces_tensor": flame_model.faces.astype(np.int64),
        "shapedirs": flame_model.shapedirs,
        "posedirs": flame_model.posedirs,
        "J_regressor": flame_model.J_regressor,
        "lbs_weights": flame_model.lbs_weights,
        "parents": flame_model.parents.astype(np.int64),
    }
    for prefix in ("sequence_decoder.flame.", "renderer.shape_model."):
        state |= {prefix + name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    state["renderer.uv_face_mask"] = torch.zeros(1, 1, 8, 8)
    return state


@pytest.fixture
def official(tmp_path, lightning, official_state, reference):
    """A function that writes the official folder and returns it."""

    def write(state=None, settings=SETTINGS, legacy=False, name="checkpoints/last.ckpt"):
        folder = tmp_path / "EMOTE_v2"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "epoch": 1,
            "state_dict": official_state if state is None else state,
            "callbacks": {lightning: {"best_model_score": torch.tensor(0.1)}},
            "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4}]}],
        }
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        if settings is not None:
            (folder / "cfg.yaml").write_text(yaml.safe_dump(settings))
        encoder = folder / "tiny_wav2vec2"
        encoder.mkdir(exist_ok=True)
        (encoder / "config.json").write_bytes((reference / "emote/wav2vec2_config.json").read_bytes())
        return folder

    return write


def changed(settings, **values):
    """Settings with values put at "sequence_decoder__style_op" and the like; None takes the entry out."""
    settings = copy.deepcopy(settings)
    for name, value in values.items():
        *parts, last = name.split("__")
        section = settings["model"]
        for part in parts:
            section = section[part]
        section[last] = value
        if value is None:
            del section[last]
    return settings


def difference(found, expected):
    assert found.shape == expected.shape
    return (found - expected).abs().max().item()


@pytest.mark.parametrize("spelling", ["old", "new"])
@pytest.mark.parametrize("legacy", [False, True])
def test_the_converted_folder_speaks_as_the_authors_code_did(
    legacy, spelling, official, official_state, reference, tmp_path
):
    if spelling == "new":
        names = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
        for old, new in names.items():
            key = next(key for key in official_state if key.endswith(old))
            official_state[key.replace(old, new)] = official_state.pop(key)
    folder = official(legacy=legacy)
    assert main(["convert", "emote", str(folder), "-o", str(tmp_path / "emote_v2")]) == 0
    pipeline = EMOTEPipeline.from_pretrained(str(tmp_path / "emote_v2"))
    recorded = load_file(reference / "emote/clean_1p0_anger_i2_id5.safetensors")
    features = pipeline.encode(load_audio(reference / "emote/1p0.wav"))
    motion = pipeline.generate(features, EmotionTrack.constant("anger", 2.0), speaker=pipeline.config.speakers[5])
    assert difference(torch.from_numpy(motion.expression)[None], recorded["predicted_exp"]) < TOLERANCE
    assert difference(torch.from_numpy(motion.jaw)[None], recorded["predicted_jaw"]) < TOLERANCE


def test_the_result_is_an_ordinary_model_folder(official, tmp_path):
    conversion = convert_emote(official(), tmp_path / "emote_v2")
    config = load_model(tmp_path / "emote_v2").config
    assert (config.name, config.face, config.num_expression) == ("emote_v2", "flame2020", 100)
    assert len(config.speakers) == 32
    assert (config.speakers[5], config.speakers[23], config.speakers[31]) == ("M012", "W018", "W029")
    assert "non-commercial" in config.licence
    assert "non-commercial" in (tmp_path / "emote_v2/README.md").read_text()
    assert sorted(path.name for path in (tmp_path / "emote_v2").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert conversion.kept[0] == len(load_file(tmp_path / "emote_v2/model.safetensors"))


def test_every_tensor_of_the_checkpoint_is_accounted_for(official, official_state, tmp_path):
    conversion = convert_emote(official(), tmp_path / "out")
    dropped = sum(count for count, _ in conversion.dropped.values())
    assert conversion.kept[0] + dropped == len(official_state)
    assert any("renderer" in why for why in conversion.dropped)
    assert any("FLAME" in why for why in conversion.dropped)


def test_the_report_says_where_settings_and_weights_disagree(official, tmp_path, capsys):
    assert main(["convert", "emote", str(official()), "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "model.sizes.n_exp 50, the weights have 100" in printed
    assert "every weight of the model is filled" in printed


def test_fifty_expression_components_are_taken_from_the_shapes(official, official_state, tmp_path):
    for part in ("weight", "bias"):
        key = f"sequence_decoder.motion_prior.motion_decoder.cross_smooth_layer.{part}"
        official_state[key] = official_state[key][:53].clone()
    convert_emote(official(), tmp_path / "emote")
    assert load_model(tmp_path / "emote").config.num_expression == 50


@pytest.mark.parametrize(
    "values, field, expected",
    [
        ({"sequence_decoder__post_bug_fix": False}, "post_bug_fix", False),
        ({"sequence_decoder__post_bug_fix": None}, "post_bug_fix", False),
        ({"sequence_decoder__period": 25}, "period", 25),
        ({"sequence_decoder__nhead": 4}, "num_heads", 4),
    ],
)
def test_settings_that_no_shape_shows_are_honoured(values, field, expected, official, tmp_path):
    folder = official(settings=changed(SETTINGS, **values))
    checkpoint = folder / "checkpoints/last.ckpt"
    shapes = {name: tensor.shape for name, tensor in state_dict_of(checkpoint).items()}
    config = emote_config(shapes, read_settings(folder / "cfg.yaml"), "out", checkpoint)
    assert getattr(config.decoder, field) == expected


def test_graphs_of_an_architecture_of_its_own_are_made_into_the_folder(official, tmp_path, reference):
    pytest.importorskip("onnxscript", reason="making a graph needs onnxscript")
    folder = official(settings=changed(SETTINGS, sequence_decoder__period=25))
    assert main(["convert", "emote", str(folder), "-o", str(tmp_path / "out")]) == 0
    (graph,) = (tmp_path / "out/graphs").glob("*.onnx")
    assert graph.name.startswith("motion_100_")
    features = np.random.default_rng(0).standard_normal((100, 48)).astype(np.float32)
    condition = np.full((100, 43), 0.1, np.float32)
    found, expected = (open_engine(tmp_path / "out", name).motion(features, condition) for name in ("onnx", "torch"))
    assert np.abs(found - expected).max() < TOLERANCE


def run_without_torch(code: str) -> subprocess.CompletedProcess[str]:
    """What Python says to `code` where no library of a checkout can be imported."""
    blocked = "torch", "transformers", "safetensors", "scipy", "onnx", "onnxscript"
    program = f"import sys\nsys.modules.update(dict.fromkeys({blocked!r}))\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT)


@pytest.mark.parametrize("num_speakers", [32, 5])
def test_it_converts_and_speaks_without_torch(num_speakers, official, official_state, reference, tmp_path):
    key = "sequence_decoder.obj_vector.map.weight"
    official_state[key] = official_state[key][:, : 11 + num_speakers].clone()
    folder, output, audio = official(), tmp_path / "out", reference / "emote/1p0.wav"
    result = run_without_torch(f"""
from emote_blender.cli.main import main
code = main(["convert", "emote", {str(folder)!r}, "-o", {str(output)!r}])
sys.exit(code or main(["generate", {str(audio)!r}, "-o", {str(tmp_path / "a.npz")!r}, "--model", {str(output)!r}]))
""")
    assert result.returncode == 0, result.stderr
    assert FaceMotion.load(tmp_path / "a.npz").num_frames == 25
    assert ("5 speakers, the released models have 32" in result.stdout) == (num_speakers == 5)


def test_an_architecture_without_graphs_says_what_to_do_without_torch(official, tmp_path):
    folder = official(settings=changed(SETTINGS, sequence_decoder__period=25))
    code = "from emote_blender.cli.main import main\n" + (
        f"sys.exit(main(['convert', 'emote', {str(folder)!r}, '-o', {str(tmp_path / 'out')!r}]))"
    )
    result = run_without_torch(code)
    assert result.returncode == 1
    assert result.stderr.strip().startswith("error: making an ONNX graph needs the Python library torch")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_flint_says_that_it_needs_torch(tmp_path):
    code = "from emote_blender.cli.main import main\n" + (
        f"sys.exit(main(['convert', 'flint', 'x.ckpt', '-o', {str(tmp_path / 'out')!r}]))"
    )
    result = run_without_torch(code)
    assert result.returncode == 1
    assert "converting FLINT, which only training reads, needs the Python library torch" in result.stderr


def test_speakers_of_another_number_are_numbered(official, official_state, tmp_path, capsys):
    official_state["sequence_decoder.obj_vector.map.weight"] = torch.zeros(128, 8 + 3 + 39)
    assert main(["convert", "emote", str(official()), "-o", str(tmp_path / "out")]) == 0
    speakers = load_model(tmp_path / "out").config.speakers
    assert (len(speakers), speakers[0], speakers[38]) == (39, "speaker_00", "speaker_38")
    assert "their names are not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, value",
    [
        ("sequence_decoder__style_op", "add"),
        ("sequence_decoder__squash_before", True),
        ("sequence_decoder__squash_after", False),
        ("sequence_decoder__squash_type", "conv"),
        ("sequence_decoder__temporal_bias_type", "alibi"),
        ("sequence_decoder__period", 0),
        ("sequence_decoder__nhead", 7),
        ("sequence_decoder__style_embedding__n_intensities", 4),
        ("sequence_decoder__style_embedding__use_shape", True),
        ("sequence_decoder__positional_encoding__type", "sinus"),
        ("sequence_decoder__rotation_representation", "6d"),
        ("sequence_encoder__type", "conv"),
        ("audio__model_specifier", "facebook/hubert-base"),
        ("audio__model_specifier", "../elsewhere"),
        ("pl_module_class", "L2lVqVae"),
    ],
)
def test_settings_of_another_network_are_refused_by_name(name, value, official, tmp_path, capsys):
    folder = official(settings=changed(SETTINGS, **{name: value}))
    assert main(["convert", "emote", str(folder), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    last = "num_heads" if name.endswith("nhead") and value == 7 else name.split("__")[-1]
    assert last in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def break_state(state, how):
    key = "sequence_decoder.decoder.weight"
    if how == "missing":
        del state["sequence_decoder.decoder.bias"]
    elif how == "shape":
        state["sequence_decoder.decoder.bias"] = torch.zeros(7)
    elif how == "NaN":
        state[key] = torch.full_like(state[key], float("nan"))
    elif how == "integers":
        state[key] = state[key].long()
    elif how == "leftover":
        state["sequence_decoder.something_new.weight"] = torch.zeros(3)
    elif how == "speakers":
        state["sequence_decoder.obj_vector.map.weight"] = torch.zeros(128, 11)
    elif how == "other network":
        state.clear()


@pytest.mark.parametrize(
    "how, words",
    [
        ("missing", "lacks sequence_decoder.decoder.bias"),
        ("shape", r"sequence_decoder.decoder.bias \(7,\) instead of \(128,\)"),
        ("NaN", "not numbers in sequence_decoder.decoder.weight"),
        ("integers", "sequence_decoder.decoder.weight of type int64"),
        ("leftover", "unknown sequence_decoder.something_new.weight"),
        ("speakers", "leaves none for speakers"),
        ("other network", "sequence_decoder.decoder.weight is missing"),
    ],
)
def test_weights_that_do_not_make_an_emote_are_refused_by_name(how, words, official, official_state, tmp_path):
    break_state(official_state, how)
    folder = official()
    with pytest.raises(InputError, match=words):
        convert_emote(folder, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_the_checkpoint_alone_needs_the_released_audio_encoder(official, tmp_path):
    folder = official(settings=None)
    with pytest.raises(InputError, match="facebook/wav2vec2-base-960h has 12, 768 wide"):
        convert_emote(folder / "checkpoints/last.ckpt", tmp_path / "out")


def test_the_settings_may_stand_elsewhere(official, tmp_path):
    folder = official()
    (folder / "checkpoints/last.ckpt").rename(tmp_path / "mine.ckpt")
    convert_emote(tmp_path / "mine.ckpt", tmp_path / "out", settings_file=folder / "cfg.yaml")
    encoder = load_model(tmp_path / "out").config.audio_encoder
    assert isinstance(encoder, Wav2Vec2EncoderConfig)
    assert encoder.hidden_size == 48


def test_the_head_inside_is_written_if_asked(official, tmp_path, flame_model, capsys):
    head = tmp_path / "heads" / "flame2020"
    assert main(["convert", "emote", str(official()), "-o", str(tmp_path / "out"), "--with-flame", str(head)]) == 0
    loaded = FaceModel.load(head)
    for name in ("v_template", "faces", "shapedirs", "posedirs", "J_regressor", "lbs_weights", "parents"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(flame_model, name))
    assert (loaded.basis, loaded.num_shape, loaded.num_expression) == ("flame2020", 300, 100)
    assert "FLAME licence" in loaded.licence
    assert "FLAME licence" in capsys.readouterr().out


@pytest.mark.parametrize("last", range(4))
def test_a_conversion_that_is_ended_at_any_step_leaves_nothing(official, tmp_path, last):
    steps: list[str] = []

    def step(fraction, text):
        if len(steps) == last:
            raise Cancelled("cancelled")
        steps.append(fraction)

    folders = tmp_path / "model", tmp_path / "head"
    checkpoint = official()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Cancelled):
        convert_emote(checkpoint, folders[0], head_output=folders[1], step=step)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_something_in_it_is_left_alone(official, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds something"):
        convert_emote(official(), output)
    assert [path.name for path in output.iterdir()] == ["mine.txt"]


def test_a_checkpoint_that_would_run_code_is_refused_and_leaves_nothing(tmp_path, capsys):
    (tmp_path / "last.ckpt").write_bytes(b"\x80\x02cposix\nsystem\n(S'touch canary'\ntR.")
    assert main(["convert", "emote", str(tmp_path / "last.ckpt"), "-o", str(tmp_path / "out")]) == 1
    assert "posix.system" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_settings_that_would_run_code_are_refused(official, tmp_path):
    folder = official()
    (folder / "cfg.yaml").write_text("model: !!python/object/apply:os.system ['touch canary']")
    with pytest.raises(InputError, match="YAML"):
        convert_emote(folder, tmp_path / "out")


@pytest.fixture
def official_flint(official, reference):
    """A function that writes an official FLINT folder with several checkpoints and returns it."""

    def write(settings=FLINT_SETTINGS):
        state = OrderedDict(load_file(reference / "flint/weights.safetensors"))
        worse = OrderedDict((key, torch.zeros_like(tensor)) for key, tensor in state.items())
        for name, content in (
            ("model-epoch=0120-val/loss_total=0.131580308080.ckpt", worse),
            ("model-epoch=0758-val/loss_total=0.113977119327.ckpt", state),
            ("last.ckpt", worse),
        ):
            folder = official(state=content, settings=settings, name=f"checkpoints/{name}")
        return folder

    return write


def test_the_best_motion_prior_is_converted_and_reconstructs_as_recorded(official_flint, reference, tmp_path):
    assert main(["convert", "flint", str(official_flint()), "-o", str(tmp_path / "prior")]) == 0
    prior = load_motion_prior(tmp_path / "prior")
    recorded = load_file(reference / "flint/T32.safetensors")
    with torch.inference_mode():
        assert difference(prior.encode(recorded["input_sequence"]).mean, recorded["mean"]) < TOLERANCE
        assert difference(prior.decode(recorded["z"]), recorded["decoded_from_z"]) < TOLERANCE
    assert json.loads((tmp_path / "prior/motion_prior.json").read_text())["face"] == "flame2020"


@pytest.mark.parametrize(
    "name, value",
    [
        ("sequence_decoder__nhead", 4),
        ("sequence_decoder__activation", "relu"),
        ("sequence_encoder__type", "Another"),
        ("pl_module_class", "FaceFormer"),
        ("rotation_representation", "6d"),
    ],
)
def test_settings_of_another_motion_prior_are_refused_by_name(name, value, official_flint, tmp_path):
    folder = official_flint(changed(FLINT_SETTINGS, **{name: value}))
    with pytest.raises(InputError, match=name.replace("__", ".")):
        convert_flint(folder, tmp_path / "prior")


@pytest.mark.parametrize("kind", ["emote", "flint"])
def test_a_folder_or_file_without_a_checkpoint_is_said(kind, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "state.ckpt").write_bytes(pickle.dumps({"epoch": 1}))
    for source in ("empty", "nothing", "state.ckpt"):
        assert main(["convert", kind, str(tmp_path / source), "-o", str(tmp_path / "out")]) == 1
        said = capsys.readouterr().err
        assert source in said
        assert said.count("\n") == 1
