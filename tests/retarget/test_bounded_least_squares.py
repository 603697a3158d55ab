"""The solver against scipy's."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear, minimize

from emote_blender.retarget.bounded_least_squares import Problem, bounded_solution, solve

FRAMES, ROWS, COLUMNS = 6, 30, 8


@pytest.fixture
def case():
    random = np.random.default_rng(1)
    directions = random.normal(size=(ROWS, COLUMNS)) @ np.diag(10.0 ** random.uniform(-1, 1, COLUMNS))
    directions[:, 1] = directions[:, 0] + 0.1 * random.normal(size=ROWS)  # two that are nearly the same
    targets = random.normal(size=(FRAMES, ROWS)) * 3
    return directions, targets, random.uniform(0, 0.5, (FRAMES, COLUMNS))


def problem_of(directions, smoothness=0.0) -> Problem:
    ridge = np.linspace(0.1, 1.0, COLUMNS)
    low, high = np.zeros(COLUMNS), np.full(COLUMNS, 0.8)
    return Problem(directions.T @ directions, ridge, np.full(COLUMNS, smoothness), low, high)


def test_each_frame_alone_is_the_bounded_solution_of_scipy(case):
    directions, targets, prior = case
    problem = problem_of(directions)
    found = solve(problem, targets @ directions, prior, iterations=4000)
    root = np.sqrt(problem.ridge)
    for frame in range(FRAMES):
        system = np.concatenate([directions, np.diag(root)])
        wanted = np.concatenate([targets[frame], root * prior[frame]])
        expected = lsq_linear(system, wanted, (problem.low, problem.high), tol=1e-12).x
        np.testing.assert_allclose(found[frame], expected, atol=1e-4)


def test_smooth_frames_together_are_the_bounded_solution_of_scipy(case):
    directions, targets, prior = case
    problem = problem_of(directions, smoothness=5.0)
    found = solve(problem, targets @ directions, prior, iterations=4000)

    def cost(flat):
        z = flat.reshape(FRAMES, COLUMNS)
        misfit, off, change = z @ directions.T - targets, z - prior, np.diff(z, axis=0)
        gradient = misfit @ directions + problem.ridge * off
        gradient[1:] += 5.0 * change
        gradient[:-1] -= 5.0 * change
        value = (misfit**2).sum() / 2 + (problem.ridge * off**2).sum() / 2 + 5.0 * (change**2).sum() / 2
        return value, gradient.ravel()

    limits = [(0.0, 0.8)] * (FRAMES * COLUMNS)
    start = np.full(FRAMES * COLUMNS, 0.4)
    expected = minimize(
        cost, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    )
    np.testing.assert_allclose(found.ravel(), expected.x, atol=1e-3)


def test_few_steps_come_near(case):
    directions, targets, prior = case
    problem = problem_of(directions)
    exact = solve(problem, targets @ directions, prior, iterations=4000)
    np.testing.assert_allclose(solve(problem, targets @ directions, prior), exact, atol=0.05)


def test_frames_without_inertia_between_them_are_solved_apart():
    random = np.random.default_rng(2)
    roots, wanted = random.normal(size=(FRAMES, 5, 5)), random.normal(size=(FRAMES, 5))
    system = roots @ np.swapaxes(roots, 1, 2) + np.eye(5)
    inertia = np.array([3.0, 1.0, 0.0, 2.0, 3.0])
    together = bounded_solution(system, wanted, -0.5, 0.5, inertia)
    apart = [
        bounded_solution(system[part], wanted[part], -0.5, 0.5, inertia[part][:2]) for part in (slice(3), slice(3, 6))
    ]
    np.testing.assert_allclose(together, np.concatenate(apart), atol=2e-3)
    assert np.abs(together - bounded_solution(system, wanted, -0.5, 0.5, 2.0)).max() > 0.02
