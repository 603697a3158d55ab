"""What `build.py bench` prints: the time of each stage beside what this machine can compute, measured in the same run.

Seconds differ from machine to machine, the last two columns hardly: the share of the matrix-product peak that a model
reaches, and how many times faster than real time it is. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import torch
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

from emote_blender.audio import Waveform, load_audio
from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.narrow import shape_keys_of
from emote_blender.blender.scene.take import apply_motion
from emote_blender.emote.checkpoint import load_model
from emote_blender.emote.model import EMOTE
from emote_blender.emotion import EMOTIONS, EmotionTrack
from emote_blender.engine.torch import TorchEngine
from emote_blender.motion import FaceMotion
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, Wav2Vec2EncoderConfig

CLIP = Path(__file__).parent / "data" / "anger_line.wav"
MATRIX = 1536
KEYED_FRAMES = 1000
INSERTED_FRAMES = 5
# The command line, and then the process's own highest memory where the system tells it (Linux).
CONVERSION = """
import pathlib, re, sys
from emote_blender.cli.main import main
code = main(sys.argv[1:])
status = pathlib.Path("/proc/self/status")
print("peak kB", *re.findall(r"VmHWM:\\s+(\\d+)", status.read_text() if status.exists() else ""))
sys.exit(code)
"""


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the sound (10)")
    parser.add_argument("--repeats", type=int, default=3, help="the best of this many runs counts (3)")
    options = parser.parse_args()

    peak = matrix_peak(options.repeats)
    print(f"matrix products, float32, {torch.get_num_threads()} threads: {peak:.0f} GFLOP/s\n")
    track = EmotionTrack.constant("anger", 2.0)
    line = load_audio(CLIP)
    count = round(options.seconds * line.sample_rate)
    sound = Waveform.from_channels(np.resize(line.samples, count), line.sample_rate)

    print(f"{'stage':42} {'seconds':>8} {'GFLOP':>8} {'of peak':>8} {'x real time':>12}")
    with tempfile.TemporaryDirectory() as folder:
        official, conversion_report = converted_pipeline(Path(folder))
    for title, pipeline in (
        ("open model, audio encoder", EMOTEPipeline.from_pretrained(engine="torch")),
        ("converted EMOTE (random), audio encoder", official),
    ):
        seconds, flops, features = measured(lambda p=pipeline: p.encode(sound), options.repeats)
        row(title, seconds, flops, peak, options.seconds)
        seconds, flops, _ = measured(lambda p=pipeline, f=features: p.generate(f, track), options.repeats)
        row("   motion from its features", seconds, flops, peak, options.seconds)
    print(f"\n{conversion_report}")
    keyframes(options.repeats)


def row(title: str, seconds: float, flops: int, peak: float, sound_seconds: float) -> None:
    """Print one line of the first table."""
    share = flops / seconds / 1e9 / peak
    print(f"{title:42} {seconds:8.3f} {flops / 1e9:8.1f} {share:8.0%} {sound_seconds / seconds:12.0f}", flush=True)


def best_time(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def measured(work: Callable, repeats: int) -> tuple[float, int, object]:
    """Seconds of the fastest run, floating-point operations in matrix products and convolutions, and the result."""
    with FlopCounterMode(display=False) as counter:
        result = work()
    return best_time(work, repeats), counter.get_total_flops(), result


def matrix_peak(repeats: int) -> float:
    """GFLOP/s of a square float32 matrix product with all of torch's threads."""
    left, right = torch.rand(MATRIX, MATRIX), torch.rand(MATRIX, MATRIX)
    return 2 * MATRIX**3 / best_time(lambda: left @ right, max(repeats, 5)) / 1e9


def converted_pipeline(folder: Path) -> tuple[EMOTEPipeline, str]:
    """A look-alike of the official checkpoint (full size, random weights) after its conversion, and what that took."""
    torch.manual_seed(0)
    config = EMOTEConfig(
        name="full size",
        audio_encoder=Wav2Vec2EncoderConfig(),
        decoder=DecoderConfig(),
        flint=FLINTConfig(),
        sample_rate=16000,
        fps=25,
        emotions=EMOTIONS,
        intensities=3,
        speakers=tuple(f"speaker {index}" for index in range(32)),
        face="flame2020",
        num_expression=100,
        expression_names=None,
        licence="none",
    )
    checkpoint = folder / "last.ckpt"
    state = EMOTE(config).state_dict()
    state["sequence_decoder.flame.shapedirs"] = torch.zeros(5023, 3, 400)  # FLAME's arrays are in the file, too
    torch.save({"state_dict": state, "epoch": 0}, checkpoint)
    del state
    read = best_time(lambda: torch.load(checkpoint, weights_only=True), 1)
    program = [sys.executable, "-c", CONVERSION, "convert", "emote", str(checkpoint), "-o", str(folder / "emote")]
    started = time.perf_counter()
    output = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    converted = time.perf_counter() - started
    size = checkpoint.stat().st_size
    report = (
        f"converting a checkpoint of {size / 1e6:.0f} MB: {converted:.1f} s as a program of its own, "
        f"{converted / read:.0f} times torch.load of the file"
    )
    peak = output.rpartition("peak kB ")[2].strip()
    if peak:
        report += f"; at most {int(peak) * 1024 / size:.2f} times its size in memory"
    model = load_model(folder / "emote")
    for module in model.modules():
        if parametrize.is_parametrized(module):  # torch 2.13's counter cannot look into weight normalisation
            parametrize.remove_parametrizations(module, "weight")
    return EMOTEPipeline(TorchEngine(model)), report


def keyframes(repeats: int) -> None:
    """Print how fast a take is written as keyframes, beside Blender's keyframe_insert."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    expression = np.random.default_rng(0).random((KEYED_FRAMES, model.num_expression), np.float32)
    motion = FaceMotion(expression, np.zeros((KEYED_FRAMES, 3), np.float32), 25.0)
    scene.render.fps, scene.render.fps_base = 25, 1.0
    bulk = best_time(lambda: apply_motion(head, motion, scene, 1), repeats) / KEYED_FRAMES
    keys = shape_keys_of(head).key_blocks[1 : model.num_expression + 1]

    def insert() -> None:
        for frame in range(INSERTED_FRAMES):
            for key in keys:
                key.keyframe_insert("value", frame=100_000 + frame)

    inserted = best_time(insert, 1) / INSERTED_FRAMES
    print(f"\nkeyframes of one frame of a take ({KEYED_FRAMES} frames): {bulk * 1e6:.0f} us")
    print(f"with Blender's keyframe_insert: {inserted * 1e6:.0f} us, {inserted / bulk:.0f} times as long")


if __name__ == "__main__":
    main()
