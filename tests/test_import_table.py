"""The import table of docs/architecture.md: what may import what, for every file there is and every one to come."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "emote_blender"
FILES = sorted(PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Rule:
    """What a layer may import beside the standard library: names of packages, and of layers of our own."""

    at_load: frozenset[str]
    in_functions: frozenset[str]


def rule(at_load: str, in_functions: str) -> Rule:
    """A rule from words; what is allowed at load is allowed in functions too."""
    return Rule(frozenset(at_load.split()), frozenset((at_load + " " + in_functions).split()))


ANYTHING = "*"
TABLE = {
    "package": rule("", "blender"),
    "core": rule(
        "core numpy",
        "av aud espeakng_loader py3langid yaml pocketsphinx onnx_asr onnxruntime langcodes",
    ),
    "engine": rule("core engine numpy", "onnxruntime torch networks"),
    "official": rule("core engine official numpy", "yaml networks torch"),
    "networks": rule("core networks numpy torch", "transformers safetensors onnxscript onnx_ir"),
    "entry": rule("core engine official entry numpy", "blender training"),
    "training": rule("core engine official networks training numpy torch", ANYTHING),
    "blender": rule("core official blender bpy bl_operators bmesh mathutils numpy", "entry aud io_scene_gltf2"),
    # A developer's program on top of everything; it is not in the zip and nothing imports it.
    "demo": rule("core demo blender entry bpy mathutils numpy", "PIL"),
}
# Whatever else a layer may import, it never imports these.
NEVER = {
    "core": {"bpy", "torch", "transformers", "blender", "training", "networks", "engine", "entry"},
    "engine": {"bpy", "blender", "training", "entry"},
    "networks": {"bpy", "blender", "training", "engine", "entry"},
    "official": {"bpy", "blender", "training", "entry"},
    "entry": {"torch", "networks"},
    "training": {"bpy", "blender"},
    "blender": {"training", "torch", "networks", "demo"},
    "demo": {"training", "torch", "networks"},
}
LAYER_OF_ROOM = {
    **dict.fromkeys("files sound_files motion_tools transcript flame retarget speech_model capture".split(), "core"),
    "official": "official",
    "engine": "engine",
    "emote": "networks",
    **dict.fromkeys("pipeline batch cli".split(), "entry"),
    "training": "training",
    "blender": "blender",
}


def layer_of(module: tuple[str, ...]) -> str:
    """The layer of a module of the package: () is the package itself, ("emote", "model") is emote/model.py."""
    if not module:
        return "package"
    if module[:2] == ("blender", "demo"):
        return "demo"
    if module == ("__main__",):
        return "entry"
    return LAYER_OF_ROOM.get(module[0], "core")


def module_of(path: Path) -> tuple[str, ...]:
    """emote_blender/emote/model.py -> ("emote", "model"); a folder's __init__.py is the folder."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


@dataclass(frozen=True)
class Import:
    """One name that a file imports.

    `target` is a layer of ours or another package; `scope` is "load", "function" or "typing".
    """

    line: int
    target: str
    scope: str


class ImportVisitor(ast.NodeVisitor):
    """Collects the imports of a file, and what it does that no import statement shows."""

    def __init__(self, path: Path) -> None:
        self.module = module_of(path)
        self.folder = self.module if path.name == "__init__.py" else self.module[:-1]
        self.scope = "load"
        self.imports: list[Import] = []
        self.by_own_name: list[int] = []
        self.dynamic: list[int] = []

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        outside, self.scope = self.scope, "function" if self.scope == "load" else self.scope
        self.generic_visit(node)
        self.scope = outside

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_Lambda = visit_FunctionDef

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            outside, self.scope = self.scope, "typing"
            for child in node.body:
                self.visit(child)
            self.scope = outside
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add_package(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not node.level:
            self._add_package(node.lineno, node.module)
            return
        base = self.folder[: len(self.folder) - node.level + 1] + tuple(
            (node.module or "").split(".") if node.module else ()
        )
        for alias in node.names:
            named = (*base, alias.name)
            is_module = (PACKAGE.joinpath(*named)).is_dir() or PACKAGE.joinpath(*named).with_suffix(".py").is_file()
            self.imports.append(Import(node.lineno, layer_of(named if is_module else base), self.scope))

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func).split(".")[-1] in ("__import__", "import_module", "exec", "eval"):
            # model.eval() and the like are methods of something else.
            if not (isinstance(node.func, ast.Attribute) and node.func.attr in ("exec", "eval")):
                self.dynamic.append(node.lineno)
        self.generic_visit(node)

    def _add_package(self, line: int, name: str) -> None:
        package = name.split(".")[0]
        if package == PACKAGE.name:
            self.by_own_name.append(line)
        elif package not in sys.stdlib_module_names:
            self.imports.append(Import(line, package, self.scope))


def visit(path: Path) -> ImportVisitor:
    visitor = ImportVisitor(path)
    visitor.visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return visitor


def complaints(path: Path) -> list[str]:
    """What a file imports against the table, one line each."""
    visitor = visit(path)
    layer = layer_of(visitor.module)
    found = []
    for item in visitor.imports:
        if item.scope == "typing":
            continue
        allowed = TABLE[layer].at_load if item.scope == "load" else TABLE[layer].in_functions
        is_allowed = item.target in allowed or ANYTHING in allowed
        if not is_allowed or item.target in NEVER.get(layer, ()):
            found.append(f"{path.name}:{item.line}: {layer} imports {item.target} ({item.scope})")
    found += [f"{path.name}:{line}: absolute import of the package" for line in visitor.by_own_name]
    found += [f"{path.name}:{line}: imports by a computed name" for line in visitor.dynamic]
    return found


@pytest.mark.once
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_what_its_layer_may(path):
    assert complaints(path) == []


def write_module(tmp_path, monkeypatch, name: str, text: str) -> Path:
    """A file that pretends to be in the package."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "emote_blender")
    path = tmp_path / "emote_blender" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.once
@pytest.mark.parametrize(
    "name, text",
    [
        ("audio.py", "import av"),
        ("audio.py", "def f():\n    import scipy.signal"),
        ("audio.py", "try:\n    import torch\nexcept ImportError:\n    pass"),
        ("audio.py", "def f():\n    import torch"),
        ("audio.py", "class A:\n    import bpy"),
        ("audio.py", "from .pipeline import EMOTEPipeline"),
        ("audio.py", "def f():\n    from . import pipeline"),
        ("audio.py", "import emote_blender.errors"),
        ("audio.py", "def f():\n    from emote_blender import errors"),
        ("audio.py", "import importlib\nimportlib.import_module('torch')"),
        ("audio.py", "__import__('torch')"),
        ("__init__.py", "from . import errors"),
        ("pipeline/new.py", "from ..emote.model import EMOTE"),
        ("pipeline/new.py", "import torch"),
        ("speech_model/config.py", "import torch"),
        ("emote/new.py", "import transformers"),
        ("emote/new.py", "def f():\n    from ..training.run.trainer import Trainer"),
        ("flame/new.py", "import torch"),
        ("training/new.py", "def f():\n    import bpy"),
        ("training/new.py", "def f():\n    from ..blender import head"),
        ("blender/new.py", "def f():\n    import torch"),
        ("blender/new.py", "from ..pipeline import EMOTEPipeline"),
        ("blender/new.py", "def f():\n    from ..emote.model import EMOTE"),
        ("blender/deep/new.py", "from ...pipeline import EMOTEPipeline"),
        ("blender/new.py", "def f():\n    from ..training import corpus"),
    ],
)
def test_the_table_finds_what_it_forbids(tmp_path, monkeypatch, name, text):
    for module in ("pipeline", "errors"):
        write_module(tmp_path, monkeypatch, f"{module}.py", "")
    assert complaints(write_module(tmp_path, monkeypatch, name, text))


@pytest.mark.once
@pytest.mark.parametrize(
    "name, text",
    [
        ("audio.py", "import json\nimport numpy as np\nfrom .errors import InputError\ndef f():\n    import av"),
        ("audio.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .emote.model import EMOTE"),
        ("pipeline/new.py", "def f():\n    from ..engine.torch import X"),
        ("blender/new.py", "import bpy\nfrom ..motion import FaceMotion\ndef f():\n    from ..pipeline import X"),
        ("training/new.py", "import torch\ndef f():\n    import matplotlib"),
    ],
)
def test_the_table_lets_the_rest_through(tmp_path, monkeypatch, name, text):
    assert complaints(write_module(tmp_path, monkeypatch, name, text)) == []


# Runs in a fresh Python. Importing a blocked package fails as if it were not installed.
BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("blocked: " + name, name=name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, {root!r})
"""


def run_without(blocked: set[str], code: str) -> subprocess.CompletedProcess[str]:
    """What Python says to `code` where the packages `blocked` cannot be imported."""
    program = BLOCKED.format(blocked=blocked, root=str(ROOT)) + code
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, cwd=ROOT)


def modules_of(*layers: str) -> list[str]:
    """Names of the package's modules in these layers."""
    modules = [module_of(path) for path in FILES]
    # __main__ runs the program when it is imported as such; its import is that of cli.
    return [
        ".".join((PACKAGE.name, *module))
        for module in modules
        if layer_of(module) in layers and "__main__" not in module
    ]


def test_core_pipeline_and_command_line_load_without_torch_transformers_scipy_and_blender():
    code = "import importlib\n" + "".join(
        f"importlib.import_module({name!r})\n" for name in modules_of("core", "entry")
    )
    result = run_without({"torch", "transformers", "scipy", "av", "safetensors", "bpy"}, code)
    assert result.returncode == 0, result.stderr


def test_the_add_on_registers_and_unregisters_without_torch_transformers_and_scipy():
    pytest.importorskip("bpy", reason="needs Blender's Python module")
    code = """
import bpy, emote_blender

def registered():
    properties = {(owner.__name__, name) for owner in (bpy.types.Scene, bpy.types.Object, bpy.types.WindowManager)
                  for name in owner.bl_rna.properties.keys()}
    handlers = {(name, id(f)) for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)
                for f in getattr(bpy.app.handlers, name)}
    return set(dir(bpy.types)) | properties | handlers | set(dir(bpy.ops.emote))

before = registered()
for _ in range(2):
    emote_blender.register()
    assert registered() - before, "nothing was registered"
    emote_blender.unregister()
    assert registered() == before, registered() ^ before
heavy = {"torch", "transformers", "scipy", "av", "safetensors"} & sys.modules.keys()
assert not heavy, heavy
training = [name for name in sys.modules if name.startswith("emote_blender.training")]
assert not training, training
print("done")
"""
    result = run_without({"torch", "transformers", "scipy", "av", "safetensors"}, code)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "done" in result.stdout


def test_every_file_of_the_blender_folder_loads_without_torch_transformers_and_scipy():
    pytest.importorskip("bpy", reason="needs Blender's Python module")
    code = "import importlib, bpy\n" + "".join(f"importlib.import_module({name!r})\n" for name in modules_of("blender"))
    result = run_without({"torch", "transformers", "scipy", "av", "safetensors"}, code)
    assert result.returncode == 0, result.stderr
