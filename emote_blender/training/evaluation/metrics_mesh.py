"""Measures of a moving surface against a reference, and of how much it moves. Vertices (T, V, 3) in millimetres."""

from __future__ import annotations

import numpy as np


def mean_vertex_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Distance between found and wanted vertices, mean over vertices and frames, mm."""
    return float(_distances(found, wanted).mean())


def max_vertex_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest distance between found and wanted vertices of each frame, mean over frames, mm.

    Over the lips' vertices this is the lip vertex error (LVE) of MeshTalk (Richard et al. 2021) and FaceFormer (Fan et
    al. 2022); over the face's, what FaceDiffuser (Stan et al. 2023) calls the mean vertex error (MVE).
    """
    return float(_distances(found, wanted).max(1).mean())


def dynamics(vertices: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(V,) how much each vertex's distance from rest (V, 3) varies: its standard deviation over time, mm."""
    return _lengths(vertices - rest).std(0)


def face_dynamics_deviation(found: np.ndarray, wanted: np.ndarray, rest: np.ndarray) -> float:
    """Dynamics of the wanted motion less those of the found one, mean over vertices, mm: above 0 where too still.

    Over the upper face this is the upper-face dynamics deviation (FDD) of CodeTalker (Xing et al. 2023):
    mean over v of (dyn(wanted v) - dyn(found v)), dyn as in `dynamics`. Theirs is in the unit of their data.
    """
    return float((dynamics(wanted, rest) - dynamics(found, rest)).mean())


def liveliness(vertices: np.ndarray) -> float:
    """How far vertices stray from their own mean place: root mean square over time, mean over vertices, mm."""
    return float(np.sqrt((_lengths(vertices - vertices.mean(0)) ** 2).mean(0)).mean())


def _distances(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, V) distances."""
    if found.shape != wanted.shape:
        raise ValueError(f"vertices {found.shape} do not fit the reference's {wanted.shape}")
    return _lengths(found - wanted)


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """(T, V) lengths of (T, V, 3); several times as fast as numpy's norm along so short an axis."""
    return np.sqrt(np.einsum("tvc,tvc->tv", vectors, vectors))
