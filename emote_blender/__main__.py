"""`python -m emote_blender`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from .cli.main import main
    except KeyboardInterrupt:  # loading takes a second or two
        print("cancelled; nothing was begun", file=sys.stderr)
        sys.exit(130)
    sys.exit(main())
