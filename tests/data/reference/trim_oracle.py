"""Cut the project's recorded reference outputs down to what the tests of `emote/` read.

Usage: python trim_oracle.py ORACLE_FOLDER SPEC_FOLDER

The oracle was recorded once from the authors' released code with random weights (no licensed data): see its README.
FLAME's arrays (see flame/) and everything that can be computed from the rest stay out; the motion prior is stored once,
since EMOTE's and FLINT's decoder weights are the same there.
"""

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
PRIOR = "sequence_decoder.motion_prior."
CLIPS = ("clean_1p0_anger_i2_id5", "clean_3p37_happy_i1_id31", "clean_3p37_interp")
OUTPUTS = ("audio_feature", "seq_encoder_output", "prior_input_sequence", "predicted_exp", "predicted_jaw")
CONDITIONS = (
    "gt_expression_label_condition",
    "gt_expression_intensity_condition",
    "gt_expression_identity_condition",
)


def main(oracle: Path, spec: Path) -> None:
    """Write emote/ and flint/ beside this file."""
    emote, flint = HERE / "emote", HERE / "flint"
    emote.mkdir(exist_ok=True)
    flint.mkdir(exist_ok=True)
    weights = load_file(oracle / "emote/state_dict.safetensors")
    prior = load_file(oracle / "flint/state_dict.safetensors")
    for name in [name for name in weights if name.startswith(PRIOR)]:
        assert torch.equal(weights.pop(name), prior[name.removeprefix(PRIOR)]), name
    save_file(
        {name: tensor for name, tensor in weights.items() if not name.startswith("sequence_decoder.flame.")},
        emote / "weights.safetensors",
    )
    save_file(prior, flint / "weights.safetensors")
    shutil.copy(oracle / "emote/wav2vec2_config.json", emote)
    for clip in CLIPS:
        values = load_file(oracle / f"emote/{clip}.safetensors")
        condition = torch.cat([values[name].float() for name in CONDITIONS], dim=-1)
        save_file({"condition": condition, **{name: values[name] for name in OUTPUTS}}, emote / f"{clip}.safetensors")
    vertices = load_file(oracle / f"emote/{CLIPS[0]}.safetensors")["predicted_vertices"]
    save_file({"predicted_vertices": vertices}, emote / f"vertices_{CLIPS[0]}.safetensors")
    broken = load_file(oracle / f"fastpath_broken/{CLIPS[0]}.safetensors")
    save_file({name: broken[name] for name in OUTPUTS[3:]}, emote / "fastpath_broken.safetensors")
    for wav in ("1p0.wav", "3p37.wav"):
        shutil.copy(oracle / "wav" / wav, emote)
    motion = load_file(oracle / "flint/T32.safetensors")
    names = [
        *("input_sequence", "mean", "logvar", "z", "decoded_from_z", "decoded_from_mean", "kl"),
        *("gt_shape", "loss_geometry", "loss_total"),
    ]
    save_file({name: motion[name] for name in names}, flint / "T32.safetensors")
    shutil.copy(oracle / "flint/decode_latent2.safetensors", flint)
    lines = (spec / "emote_state_dict_keys.txt").read_text().split("\n# FLINT")[0].splitlines()
    keys = [line for line in lines if line and not line.startswith(("#", "sequence_decoder.flame."))]
    (emote / "state_dict_keys.txt").write_text("\n".join(keys) + "\n")
    shutil.copy(spec / "flint_state_dict_keys.txt", flint / "state_dict_keys.txt")
    for path in [*emote.iterdir(), *flint.iterdir()]:
        path.chmod(0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
