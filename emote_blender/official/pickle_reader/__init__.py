"""Safe readers of pickles, which run nothing in them: FLAME's .pkl and .npy files, PyTorch checkpoints."""

from .inert import InertClass, InertObject, SparseMatrix, array_of
from .numpy_files import load_npy_object, load_pickle
from .torch_files import load_torch

__all__ = ["InertClass", "InertObject", "SparseMatrix", "array_of", "load_npy_object", "load_pickle", "load_torch"]
