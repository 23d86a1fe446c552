"""What a chip of crossbars is programmed from beside the numbers of the neurons: who drives which axon of which core.

Every neuron of a placed tile has at least one column in the core of its tile. A column sends its spikes to one axon of
one core, or to the host. So a neuron that has to drive n axons has n columns, which see the same axons, hold the same
numbers and fire in the same steps: copies, which cost neurons and no time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TO_HOST = -1
"""Target core of a column whose spikes the host reads."""


@dataclass(frozen=True)
class Columns:
    """Neurons of all cores, copies counted; arrays of one entry a column, ordered by core and column.

    Attributes
    ----------
    core : int32 array
        Number of the core in the placement.
    column : int16 array
        Neuron of the crossbar, from 0.
    population : int16 array
        Number in `ChipNetwork.populations`.
    neuron : int32 array
        Within the population, in C order of (channel, row, column).
    target_core : int32 array
        Number in the placement, or `TO_HOST`.
    target_axon : int16 array
        0 if the host reads it.
    delay : int16 array
        Steps from the spike to the step in which the target takes it in.
    """

    core: NDArray[np.int32]
    column: NDArray[np.int16]
    population: NDArray[np.int16]
    neuron: NDArray[np.int32]
    target_core: NDArray[np.int32]
    target_axon: NDArray[np.int16]
    delay: NDArray[np.int16]


@dataclass(frozen=True)
class Axons:
    """Axons of all cores; arrays of one entry an axon, ordered by core and axon.

    Attributes
    ----------
    core : int32 array
        Number of the core in the placement.
    axon : int16 array
        Row of the crossbar, from 0.
    axon_type : int8 array
    projection : int16 array
        Number in `ChipNetwork.projections`: the axon serves the synapses of this projection alone.
    source_neuron : int32 array
        Within the source population, in C order: who drives the axon.
    copy : int16 array
        Position in ``projection.axon_types``.
    """

    core: NDArray[np.int32]
    axon: NDArray[np.int16]
    axon_type: NDArray[np.int8]
    projection: NDArray[np.int16]
    source_neuron: NDArray[np.int32]
    copy: NDArray[np.int16]


@dataclass(frozen=True)
class CrossbarProgram:
    """Columns and axons of a placed network."""

    columns: Columns
    axons: Axons
