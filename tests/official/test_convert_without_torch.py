"""Official checkpoints to model folders and to motion, on what the add-on has: numpy, onnxruntime, yaml."""

import json
import shutil

import numpy as np
import pytest
import yaml
from torch_checkpoint import write_checkpoint

from emote_blender.audio import load_audio
from emote_blender.cli.main import main
from emote_blender.emotion import EmotionTrack
from emote_blender.files.safetensors_file import read_tensors
from emote_blender.pipeline import EMOTEPipeline

TOLERANCE = 1e-5  # float32 sums in another order; see tests/emote/test_parity.py
STYLE_WEIGHT = "sequence_decoder.obj_vector.map.weight"
CLIPS = {"clean_1p0_anger_i2_id5": ("1p0.wav", "anger", 2, 5), "clean_3p37_happy_i1_id31": ("3p37.wav", "happy", 1, 31)}


@pytest.fixture
def official(reference, reference_folder, tmp_path):
    """A function of (changes to the tensors, settings of the decoder) that writes the official folder."""

    def write(changes=None, **decoder):
        folder = tmp_path / "EMOTE_v2"
        tensors = {**read_tensors(reference_folder / "model.safetensors"), **(changes or {})}
        names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        for name in list(tensors):
            for new, old in names.items():
                if name.endswith(new):
                    tensors[name.replace(new, old)] = tensors.pop(name)
        tensors["renderer.uv_face_mask"] = np.zeros((1, 1, 8, 8), np.float32)
        write_checkpoint(folder / "checkpoints/last.ckpt", tensors)
        (folder / "tiny_wav2vec2").mkdir()
        shutil.copy2(reference / "emote/wav2vec2_config.json", folder / "tiny_wav2vec2/config.json")
        settings = {
            "audio": {"type": "wav2vec2", "model_specifier": "tiny_wav2vec2"},
            "sequence_decoder": {"post_bug_fix": True, **decoder},
        }
        (folder / "cfg.yaml").write_text(yaml.safe_dump({"model": settings}))
        return folder

    return write


@pytest.mark.parametrize("clip", CLIPS)
def test_the_converted_folder_speaks_as_the_authors_code_did(clip, official, reference, tmp_path):
    assert main(["convert", "emote", str(official()), "-o", str(tmp_path / "emote_v2")]) == 0
    audio, emotion, intensity, speaker = CLIPS[clip]
    pipeline = EMOTEPipeline.from_pretrained(str(tmp_path / "emote_v2"))
    features = pipeline.encode(load_audio(reference / "emote" / audio))
    motion = pipeline.generate(
        features, EmotionTrack.constant(emotion, intensity), speaker=pipeline.config.speakers[speaker]
    )
    recorded = read_tensors(reference / f"emote/{clip}.safetensors")
    assert np.abs(motion.expression - recorded["predicted_exp"][0]).max() < TOLERANCE
    assert np.abs(motion.jaw - recorded["predicted_jaw"][0]).max() < TOLERANCE


def test_fifty_components_and_five_speakers_are_read_from_the_shapes(
    official, reference, reference_folder, tmp_path, capsys
):
    tensors = read_tensors(reference_folder / "model.safetensors")
    smooth = "sequence_decoder.motion_prior.motion_decoder.cross_smooth_layer."
    changes = {smooth + part: tensors[smooth + part][:53] for part in ("weight", "bias")}
    changes[STYLE_WEIGHT] = tensors[STYLE_WEIGHT][:, :16]
    assert main(["convert", "emote", str(official(changes)), "-o", str(tmp_path / "emote")]) == 0
    assert "5 speakers, the released models have 32: their names are not known" in capsys.readouterr().out
    pipeline = EMOTEPipeline.from_pretrained(str(tmp_path / "emote"))
    assert pipeline.config.speakers == tuple(f"speaker_0{number}" for number in range(5))
    features = pipeline.encode(load_audio(reference / "emote/1p0.wav"))
    motion = pipeline.generate(features, EmotionTrack.constant("sad", 1), "speaker_04")
    assert motion.expression.shape == (25, 50)


def test_weights_that_do_not_fit_leave_nothing(official, tmp_path, capsys):
    changes = {"sequence_decoder.decoder.bias": np.zeros(7, np.float32)}
    assert main(["convert", "emote", str(official(changes)), "-o", str(tmp_path / "out")]) == 1
    assert "sequence_decoder.decoder.bias (7,) instead of (128,)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["EMOTE_v2"]


def test_the_folder_holds_no_graph_of_an_architecture_that_ships(official, tmp_path):
    assert main(["convert", "emote", str(official()), "-o", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert json.loads((tmp_path / "out/config.json").read_text())["audio_encoder"]["hidden_size"] == 48
