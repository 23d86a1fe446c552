"""What a mapping costs, in the numbers that budgets and baselines are about: smaller is better for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.energy import EnergyPreset
from mapping.core_capacities import core_capacities
from mapping.core_traffic import core_traffic
from mapping.mesh_positions import mesh_positions
from mapping.tiles import CROSSBAR_LIMIT_NAMES, LIMIT_NAMES
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.energy.report import EnergyReport
from nmdeploy.errors import ArtifactError

FloatArray = NDArray[np.float64]

UTILISATION = "utilisation"

MEANINGS: dict[str, str] = {
    "cores": "cores taken",
    "chips": "chips taken",
    "hops": "hops of a message, mean",
    "total_hops": "hops of all messages of an inference",
    "energy_pj": "energy of an inference in pJ, estimate",
    UTILISATION: "share of the capacity that is fullest on any core",
    **{
        f"{UTILISATION}.{field}": f"share of {name.label} on the fullest core"
        for field, name in (LIMIT_NAMES | CROSSBAR_LIMIT_NAMES).items()
    },
}
"""Every measure that a mapping may have, in words. Those of capacities that the chip does not limit are left out."""


@dataclass(frozen=True)
class Measure:
    """One number of a mapping.

    Attributes
    ----------
    name : str
        One of `MEANINGS`.
    value : float
    by_core : float64 array, (cores,)
        What each core, in order of the placement, has to do with it.
    is_peak : bool
        Whether the value is the largest one of a core; else it grows with all of them.
    """

    name: str
    value: float
    by_core: FloatArray
    is_peak: bool = False


def measures(compiled: Artifact, preset: EnergyPreset) -> dict[str, Measure]:
    """Measure a legal mapping.

    Messages are the spikes of the samples that the artifact's operations were counted on, one for each core that a
    spike goes to (`mapping.route_metrics`); energy is of the same samples.

    Parameters
    ----------
    compiled : Artifact
        In which `mapping.verify` finds no error.
    preset : EnergyPreset

    Returns
    -------
    dict of str to Measure
        By name, in order of `MEANINGS`.

    Raises
    ------
    ArtifactError
        The operations were counted on another placement.
    """
    placed = [(str(core.address), tile.population) for core in compiled.placement.cores for tile in core.tiles]
    if [(tile.core, tile.population) for tile in compiled.counts.placed_tiles] != placed:
        raise ArtifactError("energy.json counts the operations of another placement. Compile the model again.")
    chips = np.array([core.address.chip for core in compiled.placement.cores], dtype=np.int64)
    opens_chip = np.zeros(len(chips))  # the first core of each further chip weighs more
    first_cores = np.unique(chips, return_index=True)[1]
    opens_chip[first_cores] = np.arange(1, len(first_cores) + 1)
    found = [
        Measure("cores", len(chips), np.ones(len(chips))),
        Measure("chips", compiled.placement.chip_count, opens_chip),
        *_hops(compiled),
        _energy(compiled, preset),
        *_utilisations(compiled),
    ]
    return {measure.name: measure for measure in found}


def _hops(compiled: Artifact) -> list[Measure]:
    """Mean and total hops; the share of a core are hops of the messages that it sends or receives."""
    cores = compiled.placement.cores
    traffic = core_traffic(compiled.network, [core.tiles for core in cores], compiled.counts.spikes_per_inference)
    positions = mesh_positions([core.address for core in cores], compiled.profile.mesh)
    x, y = positions.x, positions.y
    hops = np.abs(x[traffic.source] - x[traffic.target]) + np.abs(y[traffic.source] - y[traffic.target])
    passed = traffic.messages * hops
    by_core = np.zeros(len(cores))
    np.add.at(by_core, traffic.source, passed)
    np.add.at(by_core, traffic.target, passed)
    total, messages = float(passed.sum()), float(traffic.messages.sum())
    return [
        Measure("hops", total / messages if messages else 0.0, by_core),
        Measure("total_hops", total, by_core),
    ]


def _energy(compiled: Artifact, preset: EnergyPreset) -> Measure:
    report = EnergyReport(compiled.counts, preset)
    energies = {row.name: row.energy_pj for row in report.cores}
    by_core = np.array([energies[str(core.address)] for core in compiled.placement.cores])
    return Measure("energy_pj", report.total.energy_pj, by_core)


def _utilisations(compiled: Artifact) -> list[Measure]:
    """Demands over capacities, where the chip has them; first the fullest of all."""
    shares: dict[str, FloatArray] = {}
    for field, capacity in core_capacities(compiled.profile).items():
        demands = [getattr(core.demands, field) for core in compiled.placement.cores]
        shares[f"{UTILISATION}.{field}"] = np.array(demands, dtype=np.float64) / capacity
    fullest = np.max(list(shares.values()), axis=0)
    return [
        Measure(name, float(by_core.max(initial=0.0)), by_core, is_peak=True)
        for name, by_core in ((UTILISATION, fullest), *shares.items())
    ]
