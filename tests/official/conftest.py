"""The authors' files: two files of tests write look-alikes with torch; test_convert_without_torch.py writes its own."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_convert_emote.py", "test_safe_torch.py"]
