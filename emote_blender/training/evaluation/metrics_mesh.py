"""Measures of a moving surface: its error against a reference, and its amount of motion.

Vertices are (T, V, 3) in millimetres.
"""

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
    """(V,) standard deviation over time of each vertex's distance from rest (V, 3), mm."""
    return _lengths(vertices - rest).std(0)


def face_dynamics_deviation(found: np.ndarray, wanted: np.ndarray, rest: np.ndarray) -> float:
    """Dynamics of the wanted motion minus those of the found one, mean over vertices, mm; positive if too still.

    Over the upper face this is the upper-face dynamics deviation (FDD) of CodeTalker (Xing et al. 2023): the mean over
    v of dyn(wanted v) - dyn(found v), with `dynamics` as dyn. Theirs is in the unit of their data.
    """
    return float((dynamics(wanted, rest) - dynamics(found, rest)).mean())


def liveliness(vertices: np.ndarray) -> float:
    """RMS over time of the vertices' distances from their own mean positions, mean over vertices, mm."""
    return float(np.sqrt((_lengths(vertices - vertices.mean(0)) ** 2).mean(0)).mean())


def _distances(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, V) distances of corresponding vertices."""
    if found.shape != wanted.shape:
        raise ValueError(f"vertices {found.shape} do not fit the reference's {wanted.shape}")
    return _lengths(found - wanted)


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """(T, V) lengths of vectors (T, V, 3); several times faster than numpy's norm over so short an axis."""
    return np.sqrt(np.einsum("tvc,tvc->tv", vectors, vectors))
