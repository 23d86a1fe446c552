"""What the maps and the table of cores show of each core."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from mapping.core_capacities import core_capacities
from mapping.placement import CoreRecord
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.energy.report import EnergyReport

# Capacities that are shown where the chip limits them: field of the limits, name, unit.
CAPACITIES = (
    ("compartments", "compartments", "compartments"),
    ("synapse_memory_words", "synapse memory", "words"),
    ("memory_bytes", "core memory", "bytes"),
    ("synapse_row_bytes", "synapse rows", "bytes"),
    ("axons", "axons", "axons"),
    ("neurons", "neurons", "neurons, copies counted"),
)


@dataclass(frozen=True)
class CoreQuantity:
    """One number of every core in use.

    Attributes
    ----------
    name : str
    unit : str
    scale_end : float
        Capacity of a core, or the largest amount of all cores.
    is_capacity : bool
    amount_of : callable
        From a core to its amount.
    """

    name: str
    unit: str
    scale_end: float
    is_capacity: bool
    amount_of: Callable[[CoreRecord], float]

    def written(self, amount: float) -> str:
        """With the unit."""
        return f"{amount:,.0f} {self.unit}"

    def told(self, amount: float) -> str:
        """With the unit, and the capacity if there is one."""
        if not self.is_capacity:
            return self.written(amount)
        return f"{amount:,.0f} of {self.written(self.scale_end)} ({amount / self.scale_end:.0%})"


def core_quantities(artifact: Artifact, energy: EnergyReport) -> list[CoreQuantity]:
    """Utilisation of each capacity that the chip has, energy, and spikes.

    Parameters
    ----------
    artifact : Artifact
    energy : EnergyReport
        Of this artifact.
    """
    capacities = core_capacities(artifact.profile)
    energies_pj = {row.name: row.energy_pj for row in energy.cores}
    spikes: dict[str, float] = defaultdict(float)
    for tile in artifact.counts.tiles:
        spikes[tile.core] += tile.spikes / artifact.counts.samples
    return [
        *(_utilisation(name, title, unit, capacities[name]) for name, title, unit in CAPACITIES if name in capacities),
        _of_cores("energy", f"pJ an inference, estimate by {energy.preset.name}", energies_pj),
        _of_cores("spikes", "spikes sent an inference", spikes),
    ]


def _utilisation(demand: str, name: str, unit: str, capacity: int) -> CoreQuantity:
    return CoreQuantity(
        f"utilisation of {name}", unit, capacity, True, lambda core: float(getattr(core.demands, demand))
    )


def _of_cores(name: str, unit: str, amounts: dict[str, float]) -> CoreQuantity:
    """Amounts by address, their scale ending at the largest of all chips."""
    largest = max(amounts.values(), default=0.0)
    # nothing was counted at a core that was moved by hand
    return CoreQuantity(name, unit, largest, False, lambda core: amounts.get(str(core.address), 0.0))
