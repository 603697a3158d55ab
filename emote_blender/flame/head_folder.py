"""The head folder: `head.safetensors` (FLAME's arrays under FLAME's names) and `head.json` (names, units, licence).

Arrays are stored in the narrowest type that holds them exactly, and shape directions as lists of moved vertices if that
is smaller. Loaded arrays equal the saved ones bit for bit.
"""

import json
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..files.atomic_write import write_json
from ..files.safetensors_file import read_tensors, write_tensors

ARRAYS_FILE = "head.safetensors"
CARD_FILE = "head.json"
FORMAT = 1

# name in the file -> (field of FaceModel, type in memory); the other arrays have their own code below
PLAIN_ARRAYS = {
    "v_template": ("v_template", np.float32),
    "f": ("faces", np.int32),
    "J_regressor": ("J_regressor", np.float32),
    "weights": ("lbs_weights", np.float32),
    "quads": ("quads", np.int32),
    "quad_material": ("quad_material", np.int32),
    "vertex_colors": ("vertex_colors", np.float32),
    "uv": ("uv", np.float32),
    "mirror": ("mirror", np.int32),
    "lmk_faces_idx": ("landmark_faces", np.int32),
    "lmk_bary_coords": ("landmark_barycentrics", np.float32),
}
DENSE_DIRECTIONS = {"shapedirs"}
SPARSE_DIRECTIONS = {"shapedirs.vertex", "shapedirs.count", "shapedirs.displacement"}
REQUIRED_ARRAYS = {"v_template", "f", "J_regressor", "weights", "kintree_table"}
OPTIONAL_ARRAYS = set(PLAIN_ARRAYS) - REQUIRED_ARRAYS | {"posedirs", "regions"}

NAMES_IN_CARD = (
    "basis",
    "units",
    "licence",
    "num_shape",
    "num_expression",
    "joint_names",
    "shape_names",
    "expression_names",
    "material_names",
    "mouth_close_angle",
    "vertex_color_gamma",
)
CARD_KEYS = {"format", "region_names", *NAMES_IN_CARD}
# Keys that heads of earlier versions lack, and their values for such heads.
CARD_DEFAULTS = {"vertex_color_gamma": 1.0}


def read_head(folder) -> dict:
    """Return the fields of a FaceModel from a head folder.

    Raises:
        ModelError: a file is missing or broken, or a key is missing or unexpected; the sentence names it.
    """
    folder = Path(folder)
    card = _read_card(folder / CARD_FILE)
    path = folder / ARRAYS_FILE
    arrays = read_tensors(path)
    sparse = bool(SPARSE_DIRECTIONS & set(arrays))
    directions = SPARSE_DIRECTIONS if sparse else DENSE_DIRECTIONS
    require_keys(path, set(arrays), REQUIRED_ARRAYS | directions, OPTIONAL_ARRAYS)
    fields = {name: card[name] for name in NAMES_IN_CARD}
    for name in ("joint_names", "shape_names", "expression_names", "material_names"):
        fields[name] = None if card[name] is None else tuple(card[name])
    for name, (field, dtype) in PLAIN_ARRAYS.items():
        fields[field] = arrays[name].astype(dtype) if name in arrays else None
    num_vertices = len(fields["v_template"])
    fields["parents"] = parents_of(arrays["kintree_table"], path)
    fields["posedirs"] = _posedirs_to_memory(arrays["posedirs"], path) if "posedirs" in arrays else None
    fields["shapedirs"] = (
        _expand_directions(arrays, num_vertices, path) if sparse else arrays["shapedirs"].astype(np.float32)
    )
    fields["regions"] = _regions_to_memory(arrays.get("regions"), card["region_names"], num_vertices, path)
    return fields


def write_head(fields: dict, folder) -> None:
    """Write the fields of a FaceModel as a head folder; equal fields give equal bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: fields[field] for name, (field, _) in PLAIN_ARRAYS.items() if fields[field] is not None}
    arrays["kintree_table"] = np.stack([fields["parents"], np.arange(len(fields["parents"]))]).astype(np.int32)
    if fields["posedirs"] is not None:
        arrays["posedirs"] = fields["posedirs"].T.reshape(*fields["v_template"].shape, -1)
    arrays.update(_smallest_directions(fields["shapedirs"]))
    if fields["regions"]:
        arrays["regions"] = np.stack(list(fields["regions"].values()))
    write_tensors(folder / ARRAYS_FILE, {name: narrowed(array) for name, array in arrays.items()})
    card = {"format": FORMAT, **{name: fields[name] for name in NAMES_IN_CARD}}
    card["region_names"] = list(fields["regions"])
    write_json(folder / CARD_FILE, card)


def require_keys(source, found: set, required: set, optional: set | frozenset = frozenset()) -> None:
    """Raise ModelError naming every key that is missing or unexpected in `source`."""
    missing, unexpected = sorted(required - found), sorted(found - required - optional)
    if missing:
        raise ModelError(f"{source} lacks {', '.join(missing)}; take the head's folder from its source again")
    if unexpected:
        raise ModelError(f"{source} holds unexpected {', '.join(unexpected)}; was it made by a newer version?")


def parents_of(kintree_table: np.ndarray, source) -> np.ndarray:
    """Return (J,) int32 parents from FLAME's (2, J) table, -1 for the root (FLAME's files may write 2^32 - 1)."""
    if kintree_table.ndim != 2 or kintree_table.shape[0] != 2:
        raise ModelError(f"{source}: kintree_table has shape {kintree_table.shape}, expected (2, joints)")
    parents = kintree_table[0].astype(np.int64)
    parents = np.where(parents == 2**32 - 1, -1, parents)
    if parents[0] != -1 or any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint):
        raise ModelError(
            f"{source}: kintree_table gives parents {parents.tolist()}; each joint's parent must come before it"
        )
    return parents.astype(np.int32)


def narrowed(array: np.ndarray) -> np.ndarray:
    """Return the array in the smallest type that holds every value exactly."""
    kinds = (np.uint8, np.uint16, np.int32) if array.dtype.kind in "iub" else (np.uint8, np.float16, np.float32)
    for dtype in kinds:
        with np.errstate(over="ignore", invalid="ignore"):
            candidate = array.astype(dtype)
        if np.array_equal(candidate.astype(array.dtype), array):
            return candidate
    return array


def _read_card(path: Path) -> dict:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} not found; choose a head in Preferences or pass --head") from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} is not readable JSON ({error}); take the head's folder from its source again"
        ) from None
    if not isinstance(card, dict):
        raise ModelError(f"{path} is not a table of keys; take the head's folder from its source again")
    card = CARD_DEFAULTS | card
    require_keys(path, set(card), CARD_KEYS)
    if card["format"] != FORMAT:
        raise ModelError(f"{path} has format {card['format']}, this version reads {FORMAT}; update the add-on")
    return card


def _smallest_directions(shapedirs: np.ndarray) -> dict[str, np.ndarray]:
    """Return (V, 3, C) directions dense or as the moved vertices of each component, whichever takes fewer bytes."""
    moved = (shapedirs != 0).any(1)  # (V, C)
    component, vertex = np.nonzero(moved.T)
    sparse = {
        "shapedirs.vertex": vertex,
        "shapedirs.count": moved.sum(0),
        "shapedirs.displacement": shapedirs.transpose(2, 0, 1)[component, vertex],
    }
    dense = {"shapedirs": shapedirs}
    return min((dense, sparse), key=lambda arrays: sum(narrowed(array).nbytes for array in arrays.values()))


def _expand_directions(arrays: dict[str, np.ndarray], num_vertices: int, source) -> np.ndarray:
    vertex, count = arrays["shapedirs.vertex"].astype(np.int64), arrays["shapedirs.count"].astype(np.int64)
    displacement = arrays["shapedirs.displacement"]
    if displacement.shape != (len(vertex), 3) or count.sum() != len(vertex) or (vertex >= num_vertices).any():
        raise ModelError(
            f"{source}: shapedirs lists {len(vertex)} vertices, {displacement.shape} displacements and counts that sum "
            f"to {count.sum()} for {num_vertices} vertices; take the head's folder from its source again"
        )
    shapedirs = np.zeros((len(count), num_vertices, 3), np.float32)
    shapedirs[np.repeat(np.arange(len(count)), count), vertex] = displacement
    return np.ascontiguousarray(shapedirs.transpose(1, 2, 0))


def _posedirs_to_memory(posedirs: np.ndarray, source) -> np.ndarray:
    if posedirs.ndim != 3 or posedirs.shape[1] != 3:
        raise ModelError(f"{source}: posedirs has shape {posedirs.shape}, expected (vertices, 3, 9 (joints - 1))")
    return np.ascontiguousarray(posedirs.reshape(-1, posedirs.shape[-1]).T.astype(np.float32))


def _regions_to_memory(regions, names, num_vertices: int, source) -> dict[str, np.ndarray]:
    shape = (0, num_vertices) if regions is None else regions.shape
    if shape != (len(names), num_vertices):
        raise ModelError(
            f"{source}: regions has shape {shape}, expected ({len(names)}, {num_vertices}) for head.json's names"
        )
    return {} if regions is None else dict(zip(names, regions.astype(np.float32), strict=True))
