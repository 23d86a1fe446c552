"""A maximum over counts, with torch on any device: the counts are kept at the sources, and windows are gathered.

All synapses that one projection makes from one source neuron have brought the same spikes, so their counts are one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapping.connectivity import Connectivity
from nmdeploy.simulator.pool_neurons import ABSENT


def brought(before: Tensor, train: Tensor, connectivity: Connectivity, shifts: Tensor) -> Tensor:
    """Counts of the source neurons that take part by the weights of the steps, before the first and after every step.

    Parameters
    ----------
    before : int32 tensor, (batch, source rows, source columns, channels that take part)
    train : int8 tensor, (steps, batch, source rows, source columns, source channels)
        Spikes that arrive.
    connectivity : Connectivity
    shifts : int32 tensor, (steps, 1, 1, 1, 1)
        The spikes of a step weigh 2 to this.

    Returns
    -------
    int32 tensor, (1 + steps, batch, source rows, source columns, channels that take part)
    """
    start, stop = connectivity.source_channels
    weighed = train[..., start:stop].to(torch.int32) << shifts
    return torch.cat([before[None], before + weighed.cumsum(dim=0, dtype=torch.int32)])


def largest_in_windows(counts: Tensor, connectivity: Connectivity) -> Tensor:
    """The largest count that each target neuron sees.

    Parameters
    ----------
    counts : int32 tensor, (steps, batch, source rows, source columns, channels)
    connectivity : Connectivity
        One channel to one channel.

    Returns
    -------
    int32 tensor, (steps, batch, target rows, target columns, channels)
        `ABSENT` where nothing is seen.
    """
    steps, batch, rows, columns, channels = counts.shape
    framed = torch.full((steps, batch, rows + 1, columns + 1, channels), ABSENT, dtype=counts.dtype,
                        device=counts.device)
    framed[:, :, :rows, :columns] = counts
    return _largest(_largest(framed, connectivity.rows, axis=2), connectivity.columns, axis=3)


def _largest(counts: Tensor, table: NDArray[np.int32], axis: int) -> Tensor:
    """The largest over the taps along one axis, whose last place is read by taps that do not exist."""
    places = np.where(table < 0, counts.shape[axis] - 1, table)
    seen: Sequence[Tensor] = [
        counts.index_select(axis, torch.tensor(tap, dtype=torch.int64, device=counts.device)) for tap in places.T
    ]
    largest = seen[0]
    for other in seen[1:]:
        largest = torch.maximum(largest, other)
    return largest
