"""Synaptic input as `nmdeploy.simulator.products` computes it, with torch on any device.

One gather and one matrix product for every connectivity: convolutions of a GPU library may take transforms (Winograd,
FFT) whose sums are not exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapping.connectivity import Connectivity


class TensorProduct:
    """The linear map of one projection: `weights` applied through a `Connectivity`.

    Parameters
    ----------
    connectivity : Connectivity
    weights : integer array, `connectivity.weight_shape`
        In membrane units; `dtype` holds every sum of them exactly.
    dtype : torch.float32 or torch.float64
    device : torch.device
    """

    def __init__(
        self, connectivity: Connectivity, weights: NDArray[np.int64], dtype: torch.dtype, device: torch.device
    ) -> None:
        self._connectivity = connectivity
        self._dtype = dtype
        groups, (out, inner, k_rows, k_columns) = connectivity.groups, weights.shape
        grouped = torch.from_numpy(weights).to(device, dtype).reshape(groups, out // groups, inner, k_rows, k_columns)
        # (groups, taps * in, out): the order in which a gathered receptive field lies in memory
        self._weights = grouped.permute(0, 3, 4, 2, 1).reshape(groups, k_rows * k_columns * inner, out // groups)
        _, source_rows, source_columns = connectivity.source_shape
        rows = np.where(connectivity.rows < 0, source_rows, connectivity.rows)[:, None, :, None]
        columns = np.where(connectivity.columns < 0, source_columns, connectivity.columns)[None, :, None, :]
        pixels = (rows * (source_columns + 1) + columns).ravel().astype(np.int64)
        self._pixels = torch.from_numpy(pixels).to(device)

    def __call__(self, spikes: Tensor) -> Tensor:
        """Apply to a batch.

        Parameters
        ----------
        spikes : int8 tensor, (samples, source rows, source columns, source channels)

        Returns
        -------
        float tensor, (samples, target rows, target columns, out channels)
        """
        table = self._connectivity
        samples, (_, rows, columns), groups = len(spikes), table.source_shape, table.groups
        framed: Any = torch.zeros(
            (samples, rows + 1, columns + 1, table.in_channels), dtype=self._dtype, device=spikes.device
        )
        framed[:, :rows, :columns] = spikes[..., table.source_channels[0] : table.source_channels[1]]
        fields = framed.reshape(samples, -1, table.in_channels).index_select(1, self._pixels)
        positions = samples * table.rows.shape[0] * table.columns.shape[0]
        taps = table.rows.shape[1] * table.columns.shape[1]
        grouped = fields.reshape(positions, taps, groups, -1).permute(2, 0, 1, 3).reshape(groups, positions, -1)
        sums = torch.bmm(grouped, self._weights).permute(1, 0, 2)
        return sums.reshape(samples, table.rows.shape[0], table.columns.shape[0], table.out_channels)


def gathered_values(connectivity: Connectivity) -> int:
    """Values that a product gathers for one sample and step; with groups they are regrouped, and there twice."""
    fields = connectivity.rows.size * connectivity.columns.size * connectivity.in_channels
    return fields if connectivity.groups == 1 else 2 * fields
