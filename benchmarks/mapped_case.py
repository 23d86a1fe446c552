"""A network on the cores of a chip with its spikes and our counts: what peers are compared on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import Case, compile_module, write_case
from hw_profiles import HardwareProfile, parse_profile, profile_text
from mapping.core_traffic import core_traffic
from mapping.network import ChipNetwork
from mapping.optimise_placement import optimise_placement
from mapping.partition import partition
from mapping.place import place
from mapping.placement import Placement
from mapping.placement_options import PlacementOptions
from mapping.verify import verify
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.energy.tile_spikes import tile_spikes
from nmdeploy.simulator import simulate

CALIBRATION_SAMPLES = 128


@dataclass(frozen=True)
class MappedCase:
    """A placed network and one run of it.

    Attributes
    ----------
    name : str
    network : ChipNetwork
    placement : Placement
    profile : HardwareProfile
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    spike_trains : dict of population name to int8 array, (samples, timesteps, neurons)
        Neurons in C order.
    potentials : int64 array, (samples, outputs)
        Of the outputs after the last step.
    counts : OperationCounts
    """

    name: str
    network: ChipNetwork
    placement: Placement
    profile: HardwareProfile
    samples: NDArray[np.float32]
    spike_trains: dict[str, NDArray[np.int8]]
    potentials: NDArray[np.int64]
    counts: OperationCounts


Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def map_case(case: Case, data: Path | None, samples: int, change: Change | None = None) -> MappedCase:
    """Compile a case for Loihi, place it by the spikes of its samples, and simulate these.

    Parameters
    ----------
    case : Case
    data : Path or None
        Folder of weights and images; not needed by a case without any.
    samples : int
    change : callable, optional
        Of the preprocessed samples.
    """
    profile = parse_profile(profile_text("loihi"), "loihi")
    with tempfile.TemporaryDirectory() as folder:
        module, inputs, calibration = write_case(case, data, Path(folder), samples, CALIBRATION_SAMPLES)
    if change is not None:
        inputs, calibration = change(inputs), change(calibration)
    network = compile_module(module, calibration, case.timesteps, profile)
    placement = place(partition(network, profile), profile)
    spike_counts = simulate(network, inputs).spike_counts
    means = tile_spikes(network, placement, spike_counts)
    traffic = core_traffic(network, [core.tiles for core in placement.cores], means)
    placement = optimise_placement(placement, traffic, profile, PlacementOptions())
    assert not verify(network, placement, profile)
    return run_case(case.name, network, placement, profile, inputs)


def run_case(
    name: str,
    network: ChipNetwork,
    placement: Placement,
    profile: HardwareProfile,
    samples: NDArray[np.float32],
) -> MappedCase:
    """Simulate the samples and count; peers know no saturation, so there must be none."""
    result = simulate(network, samples, record_spike_trains=True)
    assert result.saturations == 0
    counts = count_operations(network, placement, profile, samples, result.spike_counts)
    potentials = result.potentials[:, -1]
    return MappedCase(name, network, placement, profile, samples, result.spike_trains, potentials, counts)
