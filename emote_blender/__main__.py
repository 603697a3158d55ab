"""`python -m emote_blender`: the command line."""

import os
import sys

if __name__ == "__main__":
    # Before numpy is loaded. Its BLAS would wait actively for products that are too small to share, and so take a core
    # from the networks, which have threads of their own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from .cli.main import main
    except KeyboardInterrupt:  # loading takes a second or two
        print("cancelled; nothing was begun", file=sys.stderr)
        sys.exit(130)
    sys.exit(main())
