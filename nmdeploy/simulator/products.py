"""Synaptic input of a projection as exact matrix products.

Arrays are channels-last, (samples, rows, columns, channels), so that gathering a receptive field copies whole runs of
channels and the product needs no transposition.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53


def exact_dtype(weights: NDArray[Any], input_max: int) -> type[np.float32] | type[np.float64]:
    """The narrowest float type in which every partial sum of the product is an exactly held integer.

    Parameters
    ----------
    weights : integer array, (O, I, K_rows, K_columns)
    input_max : int
        Largest magnitude of an input.

    Raises
    ------
    OverflowError
        Even float64 could round.
    """
    bound = int(np.abs(weights.astype(np.int64)).sum(axis=(1, 2, 3)).max()) * input_max
    if bound < FLOAT32_EXACT:
        return np.float32
    if bound < FLOAT64_EXACT:
        return np.float64
    raise OverflowError(f"a sum of products may reach {bound}, beyond the 2^53 that are exact")


def read_pixels(table: Connectivity) -> NDArray[np.intp]:
    """Flat source pixel that each tap of each target pixel reads, in a source framed by a row and a column of zeros.

    Returns
    -------
    intp array, (target rows * target columns, K_rows * K_columns)
    """
    width = table.source_shape[2] + 1
    rows = np.where(table.rows < 0, table.source_shape[1], table.rows)[:, None, :, None]
    columns = np.where(table.columns < 0, table.source_shape[2], table.columns)[None, :, None, :]
    pixels: NDArray[np.intp] = (rows * width + columns).astype(np.intp)
    return pixels.reshape(len(table.rows) * len(table.columns), -1)


def receptive_fields(
    table: Connectivity,
    values: NDArray[Any],
    pixels: NDArray[np.intp],
    dtype: type[np.float32] | type[np.float64],
) -> NDArray[Any]:
    """What target pixels read.

    Parameters
    ----------
    table : Connectivity
    values : array, (samples, source rows, source columns, source channels)
    pixels : intp array, (target pixels, taps)
        All of `read_pixels`, or some of its rows.
    dtype : float32 or float64

    Returns
    -------
    array of `dtype`, (samples, target pixels * taps, I)
    """
    samples, (_, rows, columns) = values.shape[0], table.source_shape
    framed = np.zeros((samples, rows + 1, columns + 1, table.in_channels), dtype=dtype)
    framed[:, :rows, :columns] = values[..., table.source_channels[0] : table.source_channels[1]]
    fields: NDArray[Any] = framed.reshape(samples, (rows + 1) * (columns + 1), table.in_channels).take(
        pixels.ravel(), axis=1
    )
    return fields


class Product:
    """The linear map of one projection: `weights` applied through a `Connectivity`.

    Parameters
    ----------
    connectivity : Connectivity
    weights : array, `connectivity.weight_shape`
    dtype : float32 or float64
        Of the arithmetic; `exact_dtype` says which is exact for integers.
    """

    def __init__(
        self,
        connectivity: Connectivity,
        weights: NDArray[Any],
        dtype: type[np.float32] | type[np.float64],
    ) -> None:
        self._connectivity = connectivity
        self._dtype = dtype
        groups, (out, in_per_group, k_rows, k_columns) = connectivity.groups, weights.shape
        grouped = weights.astype(dtype).reshape(groups, out // groups, in_per_group, k_rows, k_columns)
        # (groups, taps, in, out): the order in which a gathered receptive field lies in memory
        self._weights = np.ascontiguousarray(
            grouped.transpose(0, 3, 4, 2, 1).reshape(groups, k_rows * k_columns, in_per_group, out // groups)
        )

    @cached_property
    def _pixels(self) -> NDArray[np.intp]:
        return read_pixels(self._connectivity)

    @property
    def gathered_bytes_per_sample(self) -> int:
        """Size of the gathered receptive fields of one sample in one step."""
        return int(self._pixels.size * self._connectivity.in_channels * np.dtype(self._dtype).itemsize)

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Apply to a batch.

        Parameters
        ----------
        values : array, (samples, source rows, source columns, source channels)

        Returns
        -------
        float array, (samples, target rows, target columns, out channels)
            Of the target channels of the connectivity only.
        """
        table = self._connectivity
        samples, (positions, taps) = values.shape[0], self._pixels.shape
        fields = receptive_fields(table, values, self._pixels, self._dtype)
        result = self._multiply(
            fields.reshape(samples * positions, taps, table.groups, table.in_channels // table.groups)
        )
        return result.reshape(samples, table.rows.shape[0], table.columns.shape[0], table.out_channels)

    def _multiply(self, fields: NDArray[Any]) -> NDArray[Any]:
        """Fields (positions, taps, groups, in per group) to (positions, out channels)."""
        positions, taps, groups, in_per_group = fields.shape
        out_per_group = self._weights.shape[3]
        if groups == 1:
            weights = self._weights.reshape(taps * in_per_group, out_per_group)
            return self._matrix_product(fields.reshape(positions, taps * in_per_group), weights)
        if in_per_group == 1 and out_per_group == 1:
            depthwise: NDArray[Any] = np.einsum("ptg,gt->pg", fields[..., 0], self._weights[:, :, 0, 0])
            return depthwise
        parts = [
            self._matrix_product(
                fields[:, :, group].reshape(positions, taps * in_per_group),
                self._weights[group].reshape(taps * in_per_group, out_per_group),
            )
            for group in range(groups)
        ]
        return np.concatenate(parts, axis=1)

    def _matrix_product(self, fields: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
        product: NDArray[Any] = fields @ weights
        return product
