"""Tensors as linear functions of population outputs, so that linear layers can be absorbed into projections.

Between two activation functions every layer is linear. A `Value` is such a tensor written as a sum of terms, each a
`Connectivity` with weights applied to one population (or the input), plus a bias. Adding, concatenating, slicing,
pooling, upsampling and convolving values gives values; only an activation makes a population of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape
from nmdeploy.convert.compose import compose
from nmdeploy.simulator.products import Product

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """The part of a value that comes from one population; weights (O, I/groups, K_rows, K_columns)."""

    source: str
    connectivity: Connectivity
    weights: FloatArray


@dataclass(frozen=True)
class Value:
    """``sum of terms + bias``; bias (channels, 1, 1) or `shape`."""

    shape: Shape
    terms: tuple[Term, ...]
    bias: FloatArray


def population_value(source: str, shape: Shape) -> Value:
    """The output of a population, or the input, itself."""
    own = Term(source, Connectivity.identity(shape), np.ones((shape[0], 1, 1, 1)))
    return Value(shape, (own,), np.zeros((shape[0], 1, 1)))


def apply(value: Value, connectivity: Connectivity, weights: FloatArray, bias: FloatArray) -> Value:
    """A linear layer on a value.

    Parameters
    ----------
    value : Value
    connectivity : Connectivity
        From `value.shape` to the result's shape.
    weights : float64 array, `connectivity.weight_shape`
    bias : float64 array, (channels, 1, 1) of the result
    """
    terms = []
    for term in value.terms:
        composed = compose(term.connectivity, term.weights, connectivity, weights)
        if composed is not None:
            terms.append(Term(term.source, *composed))
    return Value(connectivity.target_shape, tuple(terms), _bias_through(value, connectivity, weights) + bias)


def _bias_through(value: Value, connectivity: Connectivity, weights: FloatArray) -> FloatArray:
    channels = connectivity.target_shape[0]
    if not value.bias.any():
        return np.zeros((channels, 1, 1))
    image = np.broadcast_to(value.bias, value.shape).transpose(1, 2, 0)[None]
    result = np.zeros(connectivity.target_shape)
    start, stop = connectivity.target_channels
    result[start:stop] = Product(connectivity, weights, np.float64)(image)[0].transpose(2, 0, 1)
    return compact(result)


def compact(bias: FloatArray) -> FloatArray:
    """A bias per channel if it is the same everywhere in each channel, else unchanged."""
    first = bias[:, :1, :1]
    return first.copy() if (bias == first).all() else bias


def add(values: list[Value]) -> Value:
    """Sum of values of one shape."""
    terms = tuple(term for value in values for term in value.terms)
    return Value(values[0].shape, terms, sum((value.bias for value in values[1:]), values[0].bias))


def scale(value: Value, factor: FloatArray, shift: FloatArray) -> Value:
    """``value * factor + shift`` per channel, both (channels,)."""
    terms = []
    for term in value.terms:
        start, stop = term.connectivity.target_channels
        terms.append(replace(term, weights=term.weights * factor[start:stop, None, None, None]))
    return Value(value.shape, tuple(terms), value.bias * factor[:, None, None] + shift[:, None, None])


def concatenate(values: list[Value]) -> Value:
    """Values joined along the channels."""
    _, rows, columns = values[0].shape
    shape = (sum(value.shape[0] for value in values), rows, columns)
    terms, biases, offset = [], [], 0
    flat_bias = all(value.bias.shape[1:] == (1, 1) for value in values)
    for value in values:
        for term in value.terms:
            start, stop = term.connectivity.target_channels
            moved = replace(
                term.connectivity, target_shape=shape, target_channels=(start + offset, stop + offset)
            )
            terms.append(replace(term, connectivity=moved))
        biases.append(value.bias if flat_bias else np.broadcast_to(value.bias, value.shape))
        offset += value.shape[0]
    return Value(shape, tuple(terms), np.concatenate(biases))
