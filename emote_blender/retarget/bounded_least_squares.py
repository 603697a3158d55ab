"""Least squares over time with limits: coefficients that explain targets, near a prior, without jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MOST_STEPS, _SETTLED = 300, 3e-4


@dataclass(frozen=True, eq=False)
class Problem:
    """What all frames of a least-squares problem share.

    Over (T, N) coefficients z with low <= z <= high, the sum over frames is minimised of

        z G z / 2 - b z + (z - p) diag(r) (z - p) / 2 + (z[t] - z[t-1]) diag(s) (z[t] - z[t-1]) / 2

    Attributes:
        gram: (N, N) G, products of the components.
        ridge: (N,) r, weights of the prior.
        smoothness: (N,) s, weights of the change from frame to frame.
        low: (N,) least coefficients.
        high: (N,) greatest coefficients.
    """

    gram: np.ndarray
    ridge: np.ndarray
    smoothness: np.ndarray
    low: np.ndarray
    high: np.ndarray


def solve(problem: Problem, wanted: np.ndarray, prior: np.ndarray, iterations: int = 60) -> np.ndarray:
    """(T, N) the coefficients, by accelerated projected gradients (FISTA; A. Beck and M. Teboulle, SIIMS 2, 2009).

    Each coefficient is measured in the unit in which the diagonal is 1, which makes the gradients even. It begins at
    the clamped solution without limits and smoothness.

    Args:
        problem: what all frames share.
        wanted: (T, N) b, products of the components with the targets.
        prior: (T, N) p, what the coefficients are without a reason to be otherwise.
        iterations: number of gradient steps.
    """
    system = problem.gram + np.diag(problem.ridge)
    linear = wanted + problem.ridge * prior
    unit = 1.0 / np.sqrt(np.diagonal(system))
    low, high = problem.low / unit, problem.high / unit
    start = np.linalg.solve(system, linear.T).T / unit
    system = system * unit[:, None] * unit
    linear = linear * unit
    smoothness = problem.smoothness * unit**2
    step = 1.0 / (np.linalg.eigvalsh(system)[-1] + 4.0 * smoothness.max(initial=0.0))
    now = np.clip(start, low, high)
    if smoothness.max(initial=0.0) == 0.0 and np.array_equal(now, start):
        return now * unit
    ahead, momentum = now, 1.0
    for _ in range(iterations):
        gradient = np.einsum("tn,nm->tm", ahead, system) - linear
        change = np.diff(ahead, axis=0) * smoothness
        gradient[1:] += change
        gradient[:-1] -= change
        before, now = now, np.clip(ahead - step * gradient, low, high)
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = now + (momentum - 1.0) / following * (now - before)
        momentum = following
    return now * unit


def bounded_solution(
    system: np.ndarray,
    wanted: np.ndarray,
    low: np.ndarray | float,
    high: np.ndarray | float,
    inertia: np.ndarray | float = 0.0,
    start: np.ndarray | None = None,
    most_steps: int = _MOST_STEPS,
) -> np.ndarray:
    """(T, C) x between its limits that minimises x' A x / 2 - b' x in each frame, which has an A of its own.

    Projected gradient steps with Nesterov's momentum, which each frame drops where it leads uphill (O'Donoghue and
    Candes, "Adaptive restart for accelerated gradient schemes", 2015). Unknowns are measured in units in which the
    diagonal is about 1.

    Args:
        system: (T, C, C) positive definite matrices A.
        wanted: (T, C) right sides b.
        low: least x, broadcast to (T, C).
        high: greatest x.
        inertia: weight of the squared difference between neighbouring frames, in the unit of A; or (T - 1,) of each
            frame and the next.
        start: (T, C) where to begin; zeros if None.
        most_steps: number of steps at the most.
    """
    inertia = np.broadcast_to(inertia, (len(system) - 1,))
    strongest = float(inertia.max(initial=0.0))
    unit = 1.0 / np.sqrt(np.einsum("tcc->c", system) / len(system) + 4.0 * strongest)
    system = system * unit[:, None] * unit
    wanted, low, high = wanted * unit, low / unit, high / unit
    stiffness = inertia[:, None] * unit**2  # (T - 1, C)
    step = 1.0 / (
        np.abs(system).sum(2).max(1, keepdims=True) + 4.0 * stiffness.max(initial=0.0)
    )  # bounds the eigenvalues
    solution = np.clip(np.zeros(wanted.shape) if start is None else start / unit, low, high)
    ahead, momentum = solution, np.ones((len(wanted), 1))
    for _ in range(most_steps):
        slope = np.einsum("tcd,td->tc", system, ahead) - wanted
        if strongest:
            change = np.diff(ahead, axis=0) * stiffness
            slope[:-1] -= change
            slope[1:] += change
        moved = np.clip(ahead - slope * step, low, high)
        change = moved - solution
        uphill = ((ahead - moved) * change).sum(1, keepdims=True) > 0
        momentum[uphill] = 1.0
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = moved + (momentum - 1.0) / following * change
        momentum, solution = following, moved
        if np.abs(change * unit).max(initial=0.0) < _SETTLED:
            break
    return solution * unit
