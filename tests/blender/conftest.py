"""A fresh Blender file for every test, the add-on registered once, a tiny head, and sounds of known content."""

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

import emote_blender  # noqa: E402
from emote_blender.blender.head.build import add_head  # noqa: E402
from emote_blender.flame.model import FaceModel  # noqa: E402
from emote_blender.motion import FaceMotion  # noqa: E402

NUM_SHAPE, NUM_EXPRESSION = 2, 6


@pytest.fixture(scope="session", autouse=True)
def addon():
    """The add-on, enabled for all tests here."""
    emote_blender.register()
    yield
    emote_blender.unregister()


def open_empty_file() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


@pytest.fixture(scope="module", autouse=True)
def num_data_blocks(addon) -> int:
    """The number of data-blocks of an empty file, which is open when the tests of a module begin."""
    open_empty_file()
    return len(bpy.data.user_map())


@pytest.fixture(autouse=True)
def scene(addon, num_data_blocks):
    """An empty scene at 25 fps in a fresh file."""
    if len(bpy.data.user_map()) != num_data_blocks:  # a fixture of the module left something
        open_empty_file()
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 25, 1.0
    yield scene
    open_empty_file()


@pytest.fixture
def make_face():
    """A function that gives a face of 49 vertices whose first ten no component moves (the joints hang on those)."""

    def make(named: bool = True, quads: bool = True, posedirs: bool = False, basis: str = "tiny_face") -> FaceModel:
        rng = np.random.default_rng(7)
        side = 7
        across, up = np.meshgrid(np.linspace(-0.1, 0.1, side), np.linspace(-0.15, 0.15, side))
        v_template = np.stack([across, up, 0.1 - 4 * across**2], axis=-1).reshape(-1, 3).astype(np.float32)
        corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
        four = np.stack([corner, corner + 1, corner + side + 1, corner + side], axis=1).astype(np.int32)
        num_vertices = side * side
        shapedirs = rng.normal(0, 0.01, (num_vertices, 3, NUM_SHAPE + NUM_EXPRESSION)).astype(np.float32)
        shapedirs[:10] = 0.0
        J_regressor = np.zeros((5, num_vertices), np.float32)
        J_regressor[np.arange(5), np.arange(5) * 2] = 1.0
        lbs_weights = rng.uniform(0, 1, (num_vertices, 5)).astype(np.float32)
        lbs_weights[rng.uniform(size=lbs_weights.shape) < 0.4] = 0.0
        lbs_weights[:, 0] += 0.1
        lbs_weights /= lbs_weights.sum(axis=1, keepdims=True)
        correctives = rng.normal(0, 0.005, (36, num_vertices * 3)).astype(np.float32)
        return FaceModel(
            v_template=v_template,
            faces=np.concatenate([four[:, [0, 1, 2]], four[:, [0, 2, 3]]]),
            shapedirs=shapedirs,
            posedirs=correctives if posedirs else None,
            J_regressor=J_regressor,
            lbs_weights=lbs_weights,
            parents=np.array([-1, 0, 1, 1, 1], np.int32),
            num_shape=NUM_SHAPE,
            num_expression=NUM_EXPRESSION,
            basis=basis,
            licence="CC0-1.0",
            expression_names=tuple(f"component{i}" for i in range(NUM_EXPRESSION)) if named else None,
            shape_names=tuple(f"identity{i}" for i in range(NUM_SHAPE)) if named else None,
            quads=four if quads else None,
            quad_material=(np.arange(len(four)) % 2).astype(np.int32) if quads else None,
            material_names=("skin", "lips") if quads else None,
            vertex_colors=np.full((num_vertices, 3), 0.5, np.float32) if quads else None,
        )

    return make


@pytest.fixture
def face(make_face) -> FaceModel:
    """The tiny face with named components."""
    return make_face()


@pytest.fixture
def head(scene, face):
    """The tiny face in the scene."""
    return add_head(bpy.context, face)


@pytest.fixture
def newest_action():
    """A function that gives the action of a head's newest take."""
    return lambda head: head.emote.takes[-1].action


@pytest.fixture
def make_motion():
    """A function that gives a motion of the tiny face: smooth, different in every channel, at 25 fps."""

    def make(num_frames: int = 20, fps: float = 25.0, eyes: bool = False, neck: bool = False, **meta) -> FaceMotion:
        time = np.arange(num_frames)[:, None] / fps
        expression = 0.6 * np.sin(3 * time + np.arange(NUM_EXPRESSION))
        jaw = np.concatenate([0.2 + 0.2 * np.sin(5 * time), 0.1 * np.sin(4 * time), 0.05 * np.cos(7 * time)], axis=1)
        # Values that float16 holds, as a take keeps no others.
        expression, jaw = (values.astype(np.float16) for values in (expression, jaw))
        return FaceMotion(
            expression,
            jaw,
            fps,
            eyes=(0.2 * np.sin(2 * time + np.arange(6))).astype(np.float16) if eyes else None,
            neck=(0.3 * np.sin(2 * time + np.arange(3))).astype(np.float16) if neck else None,
            meta={
                "face": "tiny_face",
                "expression_names": [f"component{i}" for i in range(NUM_EXPRESSION)],
                "emotion": "anger",
                **meta,
            },
        )

    return make


@pytest.fixture
def ramp_wav(tmp_path: Path):
    """A function that writes a sound whose value tells the time: at t seconds it is t / 10; and gives its path."""
    import soundfile

    def write(name: str = "ramp.wav", sample_rate: int = 48000, seconds: float = 4.0, channels: int = 1) -> Path:
        values = (np.arange(round(sample_rate * seconds)) / sample_rate / 10).astype(np.float32)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Channels that differ: their average is the ramp.
        spread = np.linspace(-0.1, 0.1, channels) if channels > 1 else np.zeros(1)
        subtype = "FLOAT" if path.suffix == ".wav" else None
        soundfile.write(path, values[:, None] + spread.astype(np.float32), sample_rate, subtype=subtype)
        return path

    return write
