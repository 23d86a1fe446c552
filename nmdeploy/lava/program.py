"""Connected Lava processes of a network, ready to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mapping.placement import CoreAddress
from nmdeploy.lava.core_contents import PlacedTile
from nmdeploy.lava.window_clock import WindowClock


@dataclass(frozen=True)
class LavaProgram:
    """The Lava processes of a network, connected with each other.

    Attributes
    ----------
    clocks : dict of str to WindowClock
        By population: the global steps at which it is in which window.
    populations : dict of str to Lava process
        By population; empty at granularity "core". Ports and Vars: see
        `nmdeploy.lava.population_model.PopulationProcess`.
    projections : dict of str to Lava process
        By projection; empty at granularity "core".
    cores : dict of CoreAddress to Lava process
        One for each used core, by its address in the placement; empty at granularity "layer". Ports and Vars: see
        `nmdeploy.lava.processes.core.Core`.
    tiles : dict of str to tuple of (CoreAddress, PlacedTile)
        By population: the cores that hold it, and where; empty at granularity "layer".
    others : list of Lava processes
        Sources and recorders that a network of stock processes needs besides.
    """

    clocks: dict[str, WindowClock]
    populations: dict[str, Any] = field(default_factory=dict)
    projections: dict[str, Any] = field(default_factory=dict)
    cores: dict[CoreAddress, Any] = field(default_factory=dict)
    tiles: dict[str, tuple[tuple[CoreAddress, PlacedTile], ...]] = field(default_factory=dict)
    others: list[Any] = field(default_factory=list)

    @property
    def processes(self) -> list[Any]:
        """All processes; to run one of them runs all that are connected with it."""
        return [*self.populations.values(), *self.projections.values(), *self.cores.values(), *self.others]

    @property
    def period_steps(self) -> int:
        """Steps from one sample to the next: the window, and the gap that cycles and leads need."""
        return next(iter(self.clocks.values())).period_steps

    def steps_for(self, windows: int) -> int:
        """Steps, from the very first, after which all populations have finished this many windows."""
        return max(clock.end_step(windows) for clock in self.clocks.values())
