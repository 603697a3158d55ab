"""Build the open head.

Usage: python models/open_head/source/build.py [-o FOLDER]. It needs numpy and scipy, and writes head.safetensors and
head.json. On one computer the files are always the same, byte for byte.
"""

import argparse
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parents[2]


def main(arguments=None) -> None:
    """Build the head and save it."""
    parser = argparse.ArgumentParser(description="Build the open head from its source.")
    parser.add_argument(
        "-o", "--output", type=Path, default=SOURCE.parent, help="folder for head.safetensors and head.json"
    )
    output = parser.parse_args(arguments).output
    sys.path[:0] = [str(REPOSITORY), str(SOURCE)]
    from head_generator.head import build_head

    start = time.perf_counter()
    head = build_head()
    head.save(output)
    size_megabytes = (output / "head.safetensors").stat().st_size / 1e6
    print(
        f"{head.num_vertices} vertices, {len(head.quads)} quads, {size_megabytes:.2f} MB, "
        f"{time.perf_counter() - start:.1f} s -> {output}"
    )


if __name__ == "__main__":
    main()
