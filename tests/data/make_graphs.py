"""Makes tests/data/graphs: the ONNX graphs of the tiny models that tests use. Run by `build.py graphs`; needs torch."""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "graphs"
sys.path[:0] = [str(FOLDER.parent.parent), str(FOLDER.parent.parent.parent)]


def main() -> None:
    """Write the graphs in place of those that are there."""
    from tiny_models import tiny_emote_config

    from emote_blender.emote.export import write_graph
    from emote_blender.speech_model.graphs import PARTS, graph_name

    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    configs = [tiny_emote_config(audio, size) for audio, size in (("log_mel", 5), ("log_mel", 6), ("wav2vec2", 5))]
    wanted = {graph_name(config, part): (config, part) for config in configs for part in PARTS}
    for config, part in wanted.values():
        print(write_graph(config, part, FOLDER).path.name)


if __name__ == "__main__":
    main()
