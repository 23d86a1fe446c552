"""Rounding one weight after another, against optimal brain quantisation written out, and against every choice."""

import itertools

import numpy as np
import pytest

from nmdeploy.quantize.gptq import DAMPING, round_with_moments


def correlated(groups, outputs, inputs, seed, spread=2.0):
    """Weights in levels, and second moments of inputs of different size that have much in common."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(groups, 3 * inputs, 1))
    fields = np.maximum(random.normal(size=(groups, 3 * inputs, inputs)) + common, 0)
    fields *= np.exp(random.normal(size=(groups, 1, inputs)))
    return random.normal(size=(groups, outputs, inputs)) * spread, fields.transpose(0, 2, 1) @ fields


def damped(moments):
    """1 % of the mean of the diagonal added to it."""
    assert DAMPING == 0.01
    mean = np.diagonal(moments, axis1=1, axis2=2).mean(axis=1)
    return moments + 0.01 * mean[:, None, None] * np.eye(moments.shape[1])


def quadratic(errors, hessian):
    """``e H e^T`` of each output."""
    return np.einsum("goi,gij,goj->go", errors, hessian, errors)


def optimal_brain_quantisation(weights, hessian, lowest, highest):
    """One output: fix the weights one by one, largest input first; the others move to where the loss is least then.

    Closed form of Frantar and Alistarh 2022: with the inverse Hessian of the weights left, fixing weight k moves them
    by ``-(w_k - q_k) / [H^-1]_kk`` times column k of it.
    """
    left = sorted(range(len(weights)), key=lambda index: (-hessian[index, index], index))
    weights, rounded = weights.copy(), np.zeros(len(weights))
    given_zero = weights == 0
    while left:
        inverse = np.linalg.inv(hessian[np.ix_(left, left)])
        k = left[0]
        rounded[k] = 0.0 if given_zero[k] else min(max(np.rint(weights[k]), lowest), highest)
        weights[left] -= (weights[k] - rounded[k]) / inverse[0, 0] * inverse[:, 0]
        left = left[1:]
    return rounded


@pytest.mark.parametrize(
    ("shape", "levels"), [((1, 5, 12), 7), ((3, 2, 9), 3), ((4, 1, 9), 1), ((1, 2, 140), 7), ((1, 3, 1), 7)], ids=str
)
def test_it_is_optimal_brain_quantisation_or_nearest_where_that_is_better(shape, levels):
    for seed in range(3):
        weights, moments = correlated(*shape, seed)
        weights[:, :, ::5] *= np.random.default_rng(seed).random(weights[:, :, ::5].shape) < 0.5
        rounded = round_with_moments(weights, moments, -levels, levels)
        hessian = damped(moments)
        for group, output in np.ndindex(weights.shape[:2]):
            row, own = weights[group, output], hessian[group]
            greedy = optimal_brain_quantisation(row, own, -levels, levels)
            nearest = np.clip(np.rint(row), -levels, levels)
            loss = {id(one): (row - one) @ own @ (row - one) for one in (greedy, nearest)}
            np.testing.assert_array_equal(rounded[group, output], min(greedy, nearest, key=lambda one: loss[id(one)]))


@pytest.mark.parametrize("levels", [1, 3, 7, 127])
def test_the_quadratic_error_is_never_above_that_of_nearest(levels):
    kept = []
    for seed in range(60):
        weights, moments = correlated(2, 6, 10, seed, spread=levels / 2)
        hessian = damped(moments)
        rounded = round_with_moments(weights, moments, -levels, levels)
        nearest = np.clip(np.rint(weights), -levels, levels)
        ours, theirs = quadratic(weights - rounded, hessian), quadratic(weights - nearest, hessian)
        assert (ours <= theirs * (1 + 1e-12)).all()
        kept.append(ours.sum() / theirs.sum())
    assert np.mean(kept) < 0.7


def test_it_is_close_to_the_best_of_all_choices():
    ours, best, nearest = 0.0, 0.0, 0.0
    for seed in range(40):
        weights, moments = correlated(1, 1, 5, seed)
        row, hessian = weights[0, 0], damped(moments)[0]

        def loss(levels, row=row, hessian=hessian):
            return (row - levels) @ hessian @ (row - levels)

        floors = np.floor(row)
        choices = [floors + np.array(up) for up in itertools.product((-1, 0, 1, 2), repeat=5)]
        ours += loss(round_with_moments(weights, moments, -100, 100)[0, 0])
        best += min(map(loss, choices))
        nearest += loss(np.rint(row))
    assert best * 0.999 <= ours < best * 1.3
    assert ours < nearest


@pytest.mark.parametrize(("lowest", "highest"), [(-3, 3), (0, 7), (-7, 0)])
def test_levels_within_the_field_and_no_synapse_that_there_was_not(lowest, highest):
    weights, moments = correlated(2, 8, 20, 1, spread=4.0)
    weights = np.clip(weights, min(lowest, 0) * 2, max(highest, 0) * 2)
    weights[:, :, [2, 3, 11]] = 0
    rounded = round_with_moments(weights, moments, lowest, highest)
    np.testing.assert_array_equal(rounded, np.rint(rounded))
    assert rounded.min() == lowest
    assert rounded.max() == highest
    assert not rounded[weights == 0].any()


def test_silent_and_equal_inputs():
    """Where nothing is known of the inputs, nearest; of two inputs that are the same, one makes up for the other."""
    weights, moments = correlated(2, 4, 6, 2)
    moments[0] = 0.0
    rounded = round_with_moments(weights, moments, -9, 9)
    np.testing.assert_array_equal(rounded[0], np.rint(weights[0]))
    same = round_with_moments(np.full((1, 1, 2), 0.4), np.full((1, 2, 2), 50.0), -9, 9)
    assert same.sum() == 1.0


def test_the_same_every_time():
    weights, moments = correlated(3, 7, 150, 3)
    first = round_with_moments(weights, moments, -7, 7)
    assert first.tobytes() == round_with_moments(weights.copy(), moments.copy(), -7, 7).tobytes()
