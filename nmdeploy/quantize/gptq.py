"""Weights rounded one after another, each taking in the error of those before: GPTQ (Frantar et al. 2022).

For inputs with second moments ``H``, rounding weights w to q changes the output of a neuron by a mean square of
``(w - q) H (w - q)^T``. With ``H = R R^T``, R upper triangular, that is ``sum over k of (R_kk (t_k - q_k))**2`` for::

    t_k = w_k + sum over j < k of (w_j - q_j) R_jk / R_kk

so each q_k is the whole number nearest to its t_k. It is the rule of GPTQ (and of OBQ with a fixed order), which
updates the weights not yet rounded by rows of the Cholesky factor of H^-1, without an inverse: that factor is R^-1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Of the mean of the diagonal, added to it: the value of the paper.
DAMPING = 0.01
# Weights rounded between two products with the errors of all weights before them.
LAZY = 128


def damping(moments: FloatArray) -> FloatArray:
    """What is added to the diagonal of second moments, (groups,): 1 where all inputs are silent."""
    mean = np.trace(moments, axis1=1, axis2=2) / moments.shape[-1]
    return np.where(mean > 0, DAMPING * mean, 1.0)


def round_with_moments(wanted: FloatArray, moments: FloatArray, lowest: int, highest: int) -> FloatArray:
    """Whole numbers that change the outputs little, for inputs of these second moments.

    Inputs of the largest moments come first, while there are many weights left to make up for their errors. A weight
    of zero stays zero: it is no synapse.

    Parameters
    ----------
    wanted : float64 array, (groups, outputs, inputs)
        Weights in levels.
    moments : float64 array, (groups, inputs, inputs)
        Of what each group reads, in the same order.
    lowest, highest : int
        Smallest and largest level.

    Returns
    -------
    float64 array, (groups, outputs, inputs)
        Whole numbers. With H the moments with `damping`, ``(w - q) H (w - q)^T`` is for no output larger than that of
        the nearest ones.
    """
    order = np.argsort(-np.diagonal(moments, axis1=1, axis2=2), axis=1, kind="stable")
    ordered = np.take_along_axis(wanted, order[:, None, :], axis=2)
    factor = _upper_factor(moments, order)
    nearest = np.clip(np.rint(ordered), lowest, highest)
    rounded = _round_in_order(ordered, factor, lowest, highest)
    worse = _squared(ordered - rounded, factor) > _squared(ordered - nearest, factor)
    chosen = np.where(worse[..., None], nearest, rounded)
    result = np.empty_like(wanted)
    np.put_along_axis(result, order[:, None, :], chosen, axis=2)
    return result


def _upper_factor(moments: FloatArray, order: NDArray[np.intp]) -> FloatArray:
    """R, upper triangular with ``R R^T = H``, for each group; H the damped moments in the order given."""
    # the lower factor of the matrix turned around, turned back
    last_first, inputs = order[:, ::-1], order.shape[1]
    turned = moments[np.arange(len(moments))[:, None, None], last_first[:, :, None], last_first[:, None, :]]
    turned[:, range(inputs), range(inputs)] += damping(moments)[:, None]
    lower = np.linalg.cholesky(turned)
    del turned  # matrices of many inputs are large
    return np.ascontiguousarray(lower[:, ::-1, ::-1])


def _round_in_order(wanted: FloatArray, factor: FloatArray, lowest: int, highest: int) -> FloatArray:
    inputs = wanted.shape[2]
    rounded, errors = np.zeros_like(wanted), np.zeros_like(wanted)
    diagonal = np.diagonal(factor, axis1=1, axis2=2)
    for start in range(0, inputs, LAZY):
        stop = min(start + LAZY, inputs)
        before = errors[:, :, :start] @ factor[:, :start, start:stop]
        for k in range(start, stop):
            carried = before[:, :, k - start] + (errors[:, :, start:k] @ factor[:, start:k, k, None])[..., 0]
            target = wanted[:, :, k] + carried / diagonal[:, None, k]
            level = np.clip(np.rint(target), lowest, highest)
            rounded[:, :, k] = np.where(wanted[:, :, k] == 0, 0.0, level)
            errors[:, :, k] = wanted[:, :, k] - rounded[:, :, k]
    return rounded


def _squared(errors: FloatArray, factor: FloatArray) -> FloatArray:
    """Mean square that errors of weights add to each output, (groups, outputs)."""
    squared: FloatArray = ((errors @ factor) ** 2).sum(axis=2)
    return squared
