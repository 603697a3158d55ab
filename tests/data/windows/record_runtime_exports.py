"""Record what the Visual C++ runtime exports: `python record_runtime_exports.py WHEEL`, with a wheel that carries it.

runtime_exports.json.gz was made from shiboken6 6.3.1 (cp36-abi3-win_amd64), which carries version 14.24. The lists of
msvc-runtime 14.44.35112 are the same.
"""

import gzip
import json
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pefile

PREFIXES = "msvcp140", "vcruntime140", "concrt140"

exports = {}
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        path = PurePosixPath(name.lower())
        if path.suffix == ".dll" and path.name.startswith(PREFIXES):
            symbols = pefile.PE(data=archive.read(name)).DIRECTORY_ENTRY_EXPORT.symbols
            exports[path.stem] = sorted(symbol.name.decode() for symbol in symbols if symbol.name)
text = json.dumps(dict(sorted(exports.items())), indent=0)
Path(__file__).with_name("runtime_exports.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
for library, names in sorted(exports.items()):
    print(library, len(names))
