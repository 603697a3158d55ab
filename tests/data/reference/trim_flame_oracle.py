"""Makes tests/data/reference/flame from the project's recordings: python trim_flame_oracle.py ORACLE_FOLDER

The recordings are FLAME poses computed by the authors' code and by smplx on a face model of random numbers; nothing in
them is licensed. The model's pickle becomes a safetensors file, so that the tests need neither pickle nor scipy.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).parent
KEPT = (
    "exp",
    "shape",
    "global_pose",
    "neck",
    "jaw",
    "eye",
    "verts_smplx_neck",
    "verts_smplx_neck0",
    "verts_inferno_neck0",
)


def main(oracle: Path) -> None:
    """Writes synthetic_model.safetensors and poses.safetensors."""
    with open(oracle / "flame" / "generic_model_synthetic.pkl", "rb") as file:
        model = pickle.load(file, encoding="latin1")  # our own recording; a user's pickle is never read this way
    arrays = {name: np.asarray(model[name], np.float32) for name in ("v_template", "shapedirs", "posedirs", "weights")}
    arrays["J_regressor"] = model["J_regressor"].toarray().astype(np.float32)
    arrays |= {"f": model["f"].astype(np.int32), "kintree_table": model["kintree_table"].astype(np.uint32)}
    folder = HERE / "flame"
    folder.mkdir(exist_ok=True)
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "synthetic_model.safetensors"
    )
    recorded = load_file(oracle / "flame" / "flame_small.safetensors")
    poses = {name: recorded[name] for name in KEPT}
    poses["joints_smplx_neck"] = np.ascontiguousarray(recorded["joints_smplx_neck"][:, :5])
    save_file(poses, folder / "poses.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
