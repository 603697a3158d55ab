"""Which graphs belong to a model, and what their descriptions say."""

from dataclasses import replace

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.files.paths import find_model
from emote_blender.files.safetensors_file import map_tensors
from emote_blender.speech_model.config import DecoderConfig, FLINTConfig, Wav2Vec2EncoderConfig, load_config
from emote_blender.speech_model.graphs import (
    PARTS,
    SHIPPED_GRAPHS,
    MissingGraphError,
    architecture,
    expected_tensors,
    find_graph,
    graph_name,
)


@pytest.fixture(scope="module")
def open_config():
    return load_config(find_model("emote_open"))


def official_config(open_config, num_expression=100, post_bug_fix=True, **encoder):
    """EMOTE as it was published."""
    return replace(
        open_config,
        audio_encoder=Wav2Vec2EncoderConfig(**encoder),
        decoder=DecoderConfig(post_bug_fix=post_bug_fix),
        flint=FLINTConfig(num_expression),
        num_expression=num_expression,
        expression_names=None,
    )


@pytest.mark.parametrize("num_expression", [50, 100])
@pytest.mark.parametrize("post_bug_fix", [True, False])
def test_graphs_of_both_published_models_ship(open_config, num_expression, post_bug_fix):
    config = official_config(open_config, num_expression, post_bug_fix)
    assert all(find_graph(config, part).path.parent == SHIPPED_GRAPHS for part in PARTS)


def test_the_open_models_file_holds_exactly_the_described_tensors(open_config):
    tensors = map_tensors(find_model("emote_open") / "model.safetensors")
    assert {name: (array.shape, array.dtype.name) for name, array in tensors.items()} == dict(
        expected_tensors(open_config)
    )


def test_name_speakers_licence_and_training_do_not_change_the_graphs(open_config):
    other = replace(
        open_config,
        name="other",
        licence="mine",
        speakers=("one",),
        emotions=open_config.emotions[::-1],
        decoder=replace(open_config.decoder, dropout=0.5),
    )
    assert [graph_name(other, part) for part in PARTS] == [graph_name(open_config, part) for part in PARTS]
    assert expected_tensors(other)["sequence_decoder.obj_vector.map.weight"].shape == (128, 12)


@pytest.mark.parametrize("part, changes", [("motion", {"period": 25}), ("motion", {"num_heads": 4})])
def test_what_changes_the_numbers_changes_the_graph(open_config, part, changes):
    other = replace(open_config, decoder=replace(open_config.decoder, **changes))
    assert graph_name(other, part) != graph_name(open_config, part)
    with pytest.raises(MissingGraphError, match="convert graphs"):
        find_graph(other, part)


def test_a_field_of_later_versions_changes_no_name_while_it_has_its_default(open_config):
    """Graphs in users' folders keep their names. One length of the vocal tract was the only way before 0.2.0."""
    encoder = replace(open_config.audio_encoder, tract_lengths=(1.0,))
    assert "tract_lengths" not in architecture(replace(open_config, audio_encoder=encoder), "audio_encoder")
    assert "tract_lengths" in architecture(open_config, "audio_encoder")


def test_the_mask_of_a_training_is_expected_only_where_there_was_one(open_config):
    masked = expected_tensors(official_config(open_config))
    unmasked = expected_tensors(official_config(open_config, mask_time_prob=0.0))
    assert set(masked) - set(unmasked) == {"audio_model.model.masked_spec_embed"}


@pytest.fixture
def tiny_graph(make_tiny_folder, tmp_path):
    """A function that gives a fresh model folder, its configuration, and its motion graph's file without suffix."""
    folder = make_tiny_folder(tmp_path / "tiny")
    config = load_config(folder)
    return folder, config, folder / "graphs" / graph_name(config, "motion")


def test_a_graph_in_the_models_folder_is_found_first(tiny_graph):
    folder, config, path = tiny_graph
    assert find_graph(config, "motion", folder).path == path.with_suffix(".onnx")


def test_a_graph_that_is_cut_short_or_changed_is_not_used(tiny_graph):
    folder, config, path = tiny_graph
    onnx = path.with_suffix(".onnx")
    content = bytearray(onnx.read_bytes())
    onnx.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=r"motion_5_.*\.onnx is truncated or damaged .*convert graphs"):
        find_graph(config, "motion", folder).read()
    content[len(content) // 2] ^= 1
    onnx.write_bytes(content)
    with pytest.raises(ModelError, match="truncated or damaged"):
        find_graph(config, "motion", folder).read()
    onnx.unlink()
    with pytest.raises(ModelError, match=r"motion_5_.*\.onnx cannot be read .*convert graphs"):
        find_graph(config, "motion", folder).read()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"tensors": 1}', "\x00" * 50])
def test_a_description_that_is_damaged_is_named(tiny_graph, content):
    folder, config, path = tiny_graph
    path.with_suffix(".json").write_text(content)
    with pytest.raises(ModelError, match=r"motion_5_.*\.json is damaged .*convert graphs"):
        find_graph(config, "motion", folder)


def test_a_description_of_another_architecture_is_refused(tiny_graph):
    folder, config, path = tiny_graph
    text = path.with_suffix(".json").read_text()
    path.with_suffix(".json").write_text(text.replace('"period": 30', '"period": 3'))
    with pytest.raises(ModelError, match="describes another architecture"):
        find_graph(config, "motion", folder)


def test_no_shipped_graph_holds_weights_or_says_where_it_was_made(open_config):
    for path in SHIPPED_GRAPHS.glob("*.onnx"):
        content = path.read_bytes()
        assert len(content) < 400_000
        assert b"site-packages" not in content
        assert b".py" not in content
    weights = map_tensors(find_model("emote_open") / "model.safetensors")
    some = np.ascontiguousarray(weights["audio_model.stem.0.bias"]).tobytes()
    assert some not in find_graph(open_config, "audio_encoder").read()
