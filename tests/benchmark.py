"""What `build.py bench` prints: times, speeds and memory, each beside what it is to be compared with, of one run.

Seconds differ from machine to machine, ratios hardly: the share of the matrix-product peak that a model reaches, how
many times faster than real time it is, one engine beside the other. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import torch
from capture_benchmark import capture_speed
from synthetic_flame import make_flame
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode
from word_errors import word_error_rate

import emote_blender
from emote_blender.audio import Waveform, load_audio
from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.narrow import shape_keys_of
from emote_blender.blender.takes.make import Line, apply_motion, new_take
from emote_blender.blender.takes.rewrite import rewrite
from emote_blender.emote.checkpoint import load_model
from emote_blender.emote.model import EMOTE
from emote_blender.emotion import EMOTIONS, EmotionTrack
from emote_blender.engine.interface import Engine
from emote_blender.engine.onnx import OnnxEngine
from emote_blender.engine.torch import TorchEngine
from emote_blender.files.paths import find_model
from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.raw_take import Prosody, RawTake
from emote_blender.motion_tools.refine import smooth
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.speech_model.config import DecoderConfig, EMOTEConfig, FLINTConfig, Wav2Vec2EncoderConfig

CLIP = Path(__file__).parent / "data" / "anger_line.wav"
MONOLOGUE = Path(__file__).parent / "data" / "monologue.ogg"
MATRIX = 1536
KEYED_FRAMES = 1000
INSERTED_FRAMES = 5
SHORT_SECONDS, LONG_SECONDS = 10, 600
MEMORY_MINUTES = (1, 10, 60)
REFINED_SECONDS = 60
# Sliders that are moved, and the largest value that they are moved to.
SLIDER_SHARE = {
    "emotion_strength": 1.0,
    "upper_strength": 1.0,
    "lower_strength": 1.0,
    "jaw_strength": 1.0,
    "lip_close_offset": 1.0,
    "lower_smoothing": 0.3,
    "prediction_delay": 0.5,
    "asymmetry": 1.0,
}
LAST = "asymmetry"
BUNDLED_ADDON = "rigify"  # of Blender's own, and not enabled by default
# Each program below runs in a Python of its own; this one prints its highest memory where the system tells it (Linux).
COMMAND_LINE = """
import pathlib, re, sys
from emote_blender.cli.main import main
code = main(sys.argv[1:])
status = pathlib.Path("/proc/self/status")
print("peak kB", *re.findall(r"VmHWM:\\s+(\\d+)", status.read_text() if status.exists() else ""))
sys.exit(code)
"""
COLD_PIPELINE = """
import json, sys, time
started = time.perf_counter()
from emote_blender.audio import load_audio
from emote_blender.emotion import EmotionTrack
from emote_blender.pipeline import EMOTEPipeline
pipeline, seconds = None, []
for _ in range(3):
    pipeline = pipeline or EMOTEPipeline.from_pretrained(engine=sys.argv[2])
    pipeline.generate(pipeline.encode(load_audio(sys.argv[1])), EmotionTrack.constant("anger", 2.0))
    seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
print(json.dumps(seconds))
"""
COLD_BLENDER = """
import json, sys, time
import bpy
def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
bundled = timed(lambda: bpy.ops.preferences.addon_enable(module=sys.argv[2]))
ours = timed(lambda: bpy.ops.preferences.addon_enable(module="emote_blender"))
bpy.ops.emote.add_head()
scene = bpy.context.scene
scene.sequence_editor_create().strips.new_sound("line", sys.argv[1], 1, 1)
seconds = [timed(lambda: bpy.ops.emote.generate(strip="line", emotion="ANGER", intensity=2.0)) for _ in range(3)]
print(json.dumps({"bundled": bundled, "ours": ours, "generate": seconds}))
"""

# A minute's line, generated in a fresh Blender; then another amount of its emotion, and another moment of three.
CHANGED_EMOTION = """
import json, sys, time
import bpy
def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
bpy.ops.preferences.addon_enable(module="emote_blender")
bpy.ops.emote.add_head()
scene = bpy.context.scene
scene.sequence_editor_create().strips.new_sound("line", sys.argv[1], 1, 1)
first = timed(lambda: bpy.ops.emote.generate(strip="line", emotion="ANGER", intensity=1.0))
from emote_blender.blender.jobs import live_emotion, rerender
head = next(item for item in scene.objects if "emote_head" in item)
take, settings = head.emote.takes[0], head.emote
settings.emotion = "ANGER"
def render():
    rendered.append(rerender.compute(rerender.prepare(head, take, live_emotion.track_for(head, take))))
rendered, amounts, moments, applied, previews = [], [], [], [], []
for step in range(int(sys.argv[2])):
    settings.amount = 1.1 + step / 50
    track = live_emotion.track_for(head, take)
    previews.append(timed(lambda: live_emotion.preview(head, take, track)))
    amounts.append(timed(render))
    applied.append(timed(lambda: rerender.apply(head, take, rendered[-1])))
for seconds, emotion in ((0, "NEUTRAL"), (20, "ANGER"), (40, "SAD")):
    line = settings.moments.add()
    line.time, line.emotion = seconds, emotion
settings.over_time = True
render()
for step in range(int(sys.argv[2])):
    settings.moments[1].time = 20.5 + step / 10
    moments.append(timed(render))
print(json.dumps({"first": first, "amount": min(amounts), "moment": min(moments), "apply": min(applied),
                  "preview": min(previews)}))
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="the best of this many runs counts (3)")
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes: long sound and memory")
    options = parser.parse_args()

    peak = matrix_peak(options.repeats)
    print(f"matrix products, float32, {torch.get_num_threads()} threads: {peak:.0f} GFLOP/s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        official, conversion_report = convert_look_alike(folder)
        engine_table(official, peak, options.repeats, options.quick)
        thread_table(options.repeats)
        print(f"\n{conversion_report}")
        cold_start(folder)
        changed_emotion(folder, options.repeats)
        recognition()
        long_text(options.repeats)
        capture_speed(folder)
        if not options.quick:
            memory_table(folder)
    emote_blender.register()
    keyframes(options.repeats)
    refinement(options.repeats)
    emote_blender.unregister()


def engine_table(official: Path, peak: float, repeats: int, quick: bool) -> None:
    """Print both models' times by both engines, of ten seconds and ten minutes of sound."""
    print(f"\n{'model':32} {'stage':13} {'engine':>6} {'sound':>6} {'seconds':>8} {'of peak':>8} {'x real time':>12}")
    for title, folder in (("open model", find_model("emote_open")), ("EMOTE at official size (random)", official)):
        reference = load_model(folder)
        for module in reference.modules():
            if parametrize.is_parametrized(module):  # torch 2.13's counter cannot look into weight normalisation
                parametrize.remove_parametrizations(module, "weight")
        engines: dict[str, Engine] = {"torch": TorchEngine(reference), "onnx": OnnxEngine(folder)}
        for sound_seconds in (SHORT_SECONDS,) if quick else (SHORT_SECONDS, LONG_SECONDS):
            sound = sound_of(sound_seconds)
            times = repeats if sound_seconds == SHORT_SECONDS else 1
            flops: dict[str, int] = {}
            for name, engine in engines.items():
                pipeline = EMOTEPipeline(engine)
                features = pipeline.encode(sound)
                track = EmotionTrack.constant("anger", 2.0)
                stages: dict[str, Callable[[], object]] = {
                    "audio encoder": functools.partial(pipeline.encode, sound),
                    "motion": functools.partial(pipeline.generate, features, track),
                }
                for stage, work in stages.items():
                    if name == "torch":
                        seconds, flops[stage], _ = measured(work, times)
                    else:
                        seconds = best_time(work, times)
                    share = flops[stage] / seconds / 1e9 / peak
                    print(
                        f"{title:32} {stage:13} {name:>6} {sound_seconds:>4} s {seconds:8.3f} {share:8.0%} "
                        f"{sound_seconds / seconds:12.0f}",
                        flush=True,
                    )


def thread_table(repeats: int) -> None:
    """Print the open model's time with one and two threads."""
    sound, track = sound_of(SHORT_SECONDS), EmotionTrack.constant("anger", 2.0)
    print("\nopen model, ten seconds, ONNX Runtime:", end="")
    for num_threads in (1, 2):
        pipeline = EMOTEPipeline(OnnxEngine(find_model("emote_open"), num_threads))
        seconds = best_time(functools.partial(_generate, pipeline, sound, track), repeats)
        print(
            f" {seconds:.3f} s with {num_threads} thread{'s' * (num_threads > 1)}",
            end=";" if num_threads == 1 else "\n",
        )


def _generate(pipeline: EMOTEPipeline, sound: Waveform, track: EmotionTrack) -> object:
    return pipeline.generate(pipeline.encode(sound), track)


def cold_start(folder: Path) -> None:
    """Print what the first use costs: enabling, the first take of ten seconds, and later ones."""
    clip = write_wav(folder / "ten_seconds.wav", SHORT_SECONDS)
    for engine in ("torch", "onnx"):
        run_program(COLD_PIPELINE, str(clip), engine)  # compiles the modules
        first, *later = json.loads(run_program(COLD_PIPELINE, str(clip), engine).splitlines()[-1])
        print(f"ten seconds in a fresh Python, engine {engine}: first {first:.2f} s, later {min(later):.2f} s")
    run_program(COLD_BLENDER, str(clip), BUNDLED_ADDON)
    seen = json.loads(run_program(COLD_BLENDER, str(clip), BUNDLED_ADDON).splitlines()[-1])
    first, *later = seen["generate"]
    print(
        f"in Blender: enabled in {seen['ours'] * 1e3:.0f} ms, {seen['ours'] / seen['bundled']:.2f} of Blender's own "
        f"{BUNDLED_ADDON}; Generate of ten seconds: first {first:.2f} s, later {min(later):.2f} s"
    )


def changed_emotion(folder: Path, repeats: int) -> None:
    """Print how long a minute's take needs for another emotion, beside its first run in a fresh Blender."""
    clip = write_wav(folder / "emotion.wav", REFINED_SECONDS)
    output = run_program(CHANGED_EMOTION, str(clip), str(max(repeats, 5)))
    seconds = json.loads(output.splitlines()[-1])
    first = seconds["first"]
    print(
        f"another emotion for a take of {REFINED_SECONDS} s, whose first run took {first:.2f} s: "
        f"all of it {seconds['amount'] * 1e3:.0f} ms ({seconds['amount'] / first:.1%}), "
        f"a moved moment {seconds['moment'] * 1e3:.0f} ms ({seconds['moment'] / first:.1%}), "
        f"writing it {seconds['apply'] * 1e3:.0f} ms; "
        f"preview {seconds['preview'] * 1e3:.0f} ms, {1 / seconds['preview']:.0f} changes a second",
        flush=True,
    )


def recognition() -> None:
    """Print how long it takes to recognise the words of a minute of speech, beside all of `generate`; word errors."""
    sound, spoken = load_audio(MONOLOGUE), MONOLOGUE.with_suffix(".txt").read_text(encoding="utf-8")
    pipeline = EMOTEPipeline.from_pretrained("emote_open")
    alone = best_time(lambda: pipeline.generate(pipeline.encode(sound), EmotionTrack.constant()), 1)
    started = time.perf_counter()
    features = pipeline.encode(sound, transcript="auto")
    pipeline.generate(features, EmotionTrack.constant())
    seconds = time.perf_counter() - started
    assert features.recognition is not None
    rate = word_error_rate(features.recognition.text, spoken)
    length = sound.duration_seconds
    print(
        f"generate with recognised words, {length:.0f} s of speech: {seconds:.1f} s, {length / seconds:.1f} times real "
        f"time, {seconds / alone:.1f} times as long as without; {rate:.1%} of the words wrong",
        flush=True,
    )


def long_text(repeats: int) -> None:
    """Print how long 20 seconds of a monologue take within a text of 10,000 words, beside the monologue's own."""
    sound, spoken = load_audio(MONOLOGUE), MONOLOGUE.with_suffix(".txt").read_text(encoding="utf-8")
    part = Waveform(sound.samples[: 20 * sound.sample_rate], sound.sample_rate)
    pipeline = EMOTEPipeline.from_pretrained("emote_open")
    words = spoken.split()
    other = np.random.default_rng(0).choice(words, 10_000 - len(words)).tolist()
    sentences = [f"{' '.join(other[start : start + 12])}." for start in range(0, len(other), 12)]
    half = len(sentences) // 2
    book = " ".join([*sentences[:half], spoken, *sentences[half:]])
    own, long = (
        best_time(functools.partial(pipeline.encode, part, transcript=text), repeats) for text in (spoken, book)
    )
    report = pipeline.encode(part, transcript=book).transcript_report
    assert report is not None
    print(
        f"encode 20 s of speech with its place in a text of {len(book.split()):,} words: {long:.1f} s, "
        f"{long / own:.1f} times as long as with the words of the minute ({own:.1f} s); "
        f"{report.share_of_sound:.0%} of the speech explained",
        flush=True,
    )


def memory_table(folder: Path) -> None:
    """Print the highest memory of `generate` for a minute, ten minutes and an hour (Linux)."""
    lowest = 0.0
    for minutes in MEMORY_MINUTES:
        clip = write_wav(folder / f"{minutes}.wav", 60 * minutes)
        started = time.perf_counter()
        output = run_program(COMMAND_LINE, "generate", str(clip), "-o", str(folder / f"{minutes}.npz"))
        seconds, peak = time.perf_counter() - started, output.rpartition("peak kB ")[2].strip()
        megabytes = int(peak) / 1024 if peak else float("nan")
        lowest = lowest or megabytes
        print(
            f"generate, {minutes} min of sound: {megabytes:.0f} MB at most ({megabytes - lowest:+.0f} MB); "
            f"{seconds:.1f} s as a program of its own, {60 * minutes / seconds:.0f} times real time",
            flush=True,
        )


def sound_of(seconds: float) -> Waveform:
    """The demonstration's line again and again."""
    line = load_audio(CLIP)
    return Waveform(np.resize(line.samples[:], round(seconds * line.sample_rate)), line.sample_rate)


def write_wav(path: Path, seconds: float) -> Path:
    """A wav file of `sound_of`."""
    sound = sound_of(seconds)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.sample_rate)
        file.writeframes((sound.samples[:] * 32767).astype("<i2").tobytes())
    return path


def run_program(code: str, *arguments: str) -> str:
    """What a program of its own prints. Its modules are compiled once, as those of an installed Blender are."""
    command = [sys.executable, "-c", code, *arguments]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "emote-bench-pycache")
    run = functools.partial(subprocess.run, command, check=True, stderr=subprocess.DEVNULL, text=True, env=env)
    return run(stdout=subprocess.PIPE).stdout


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


def convert_look_alike(folder: Path) -> tuple[Path, str]:
    """The model folder of a look-alike of the official checkpoint (full size, random weights), and what that took."""
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
    started = time.perf_counter()
    output = run_program(COMMAND_LINE, "convert", "emote", str(checkpoint), "-o", str(folder / "emote"))
    converted = time.perf_counter() - started
    size = checkpoint.stat().st_size
    report = (
        f"converting a checkpoint of {size / 1e6:.0f} MB: {converted:.1f} s as a program of its own, "
        f"{converted / read:.0f} times torch.load of the file"
    )
    peak = output.rpartition("peak kB ")[2].strip()
    if peak:
        report += f"; at most {int(peak) * 1024 / size:.2f} times its size in memory"
    return folder / "emote", report


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


def refinement(repeats: int) -> None:
    """Print how long a change of a slider of a minute's take lasts, beside writing all of its curves."""
    times = 2 * max(repeats, 3)
    print(f"\nslider of a take of {REFINED_SECONDS} s, the best of {times} changes:")
    num_frames = REFINED_SECONDS * 25
    for title, model in (("open head", load_face_model("open_head")), ("FLAME look-alike", make_flame(num_shape=2))):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        scene.render.fps, scene.render.fps_base = 25, 1.0
        head = add_head(bpy.context, model)
        random = np.random.default_rng(0)
        motions = [
            FaceMotion(
                0.3 * smooth(random.normal(size=(num_frames, model.num_expression)), 4.0),
                0.1 + 0.1 * smooth(random.normal(size=(num_frames, 3)), 4.0),
                25.0,
            )
            for _ in range(2)
        ]
        voice = Prosody(np.full(num_frames, -30, np.float32), np.full(num_frames, 120, np.float32))
        take = new_take(head, RawTake(motions[0], motions[1], voice), scene, Line("line", 1))
        values = iter(np.linspace(0.2, 0.9, 20 * times).tolist())

        def move(slider: str, take: Any = take, values: Iterator[float] = values) -> None:
            setattr(take.refine, slider, SLIDER_SHARE[slider] * next(values))

        all_curves = best_time(functools.partial(rewrite_all, head, take), times)
        print(f"  {title}, {model.num_expression} components: all curves {all_curves * 1e3:.0f} ms;", end="")
        for slider in SLIDER_SHARE:
            move(slider)
            seconds = best_time(functools.partial(move, slider), times)
            take.refine.property_unset(slider)
            print(f" {slider} {seconds * 1e3:.0f} ms ({seconds / all_curves:.2f})", end="," if slider != LAST else "\n")


def rewrite_all(head: bpy.types.Object, take: Any) -> None:
    """Write every curve of a take as if none were there."""
    for layer in take.action.layers:
        for strip in layer.strips:
            for channelbag in strip.channelbags:
                channelbag.fcurves.clear()
    take.action["emote_written"] = "{}"
    rewrite(head, take)


if __name__ == "__main__":
    main()
