"""One row a population: how well its spikes stand for the activations, and what it loses of them.

A layer's error has two parts: what its sources bring it wrongly, and what it adds by rounding, clipping, quantised
weights and uneven spikes. The first kind grows with depth, so besides the error against the float network's activations
each row has the layer's own: against what the float layer makes of the very rates that the sources have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.analysis.fidelity import Deviation, decibels, rounded_to_levels
from nmdeploy.analysis.observe import Observed

FloatArray = NDArray[np.float64]

# Shown as 0.0, and within what float32 rounds: no loss.
NO_DROP_DB = 0.05


@dataclass(frozen=True)
class LayerRow:
    """A population.

    Where the float network has no such population, there is nothing to compare with, and ratios, errors and `clipped`
    are None. Accumulators neither round nor clip nor spike: their ideal, drops, `clipped`, `silent` and `mean_rate`
    are None.

    Attributes
    ----------
    name : str
    shape : (int, int, int)
    model : str
        Neuron model as profiles list it.
    is_output : bool
    snr_db : float or None
        ``10 log10(sum a^2 / sum (a - scale N / L)^2)``; None also where the error is zero. L is T, or the levels of a
        window with refinement steps, and N the net count (`nmdeploy.analysis.observe`).
    relative_error : float or None
        ``|a - scale N / L| / |a|`` (l2): 0 where there is no error.
    ideal_snr_db : float or None
        The same if the activations were only clipped and rounded to the levels.
    drop_db : float or None
        How far the ratio is below its ideal.
    own_snr_db, own_relative_error, own_drop_db : float or None
        As above, against what the float layer makes of the rates of the layer's sources.
    clipped : float or None
        Share of the activations whose magnitude is above the scale.
    silent : float or None
        Share of the neurons that spike in none of the samples.
    saturated : float
        Share of the neurons' steps in which the potential was cut off.
    saturations : float
        How many those are in an inference.
    mean_rate : float or None
        Spikes of both signs per neuron and step.
    spikes : float
        Spikes of both signs in an inference.
    """

    name: str
    shape: tuple[int, int, int]
    model: str
    is_output: bool
    snr_db: float | None
    relative_error: float | None
    ideal_snr_db: float | None
    drop_db: float | None
    own_snr_db: float | None
    own_relative_error: float | None
    own_drop_db: float | None
    clipped: float | None
    silent: float | None
    saturated: float
    saturations: float
    mean_rate: float | None
    spikes: float


@dataclass(frozen=True)
class LayerTable:
    """All populations.

    Attributes
    ----------
    rows : tuple of LayerRow
        Sources before targets.
    furthest_below_ideal : str or None
        The population of the largest `drop_db`; None where all reach their ideals to within `NO_DROP_DB`.
    loses_most_itself : str or None
        That of the largest `own_drop_db`.
    """

    rows: tuple[LayerRow, ...]
    furthest_below_ideal: str | None
    loses_most_itself: str | None


class _Compared:
    """Deviation from activations, and what rounding alone would make of it."""

    def __init__(self) -> None:
        self.actual = Deviation()
        self.ideal = Deviation()

    def add(self, observed: Observed, activations: FloatArray) -> None:
        self.actual.add(activations, observed.represented)
        if not observed.population.is_output:
            population = observed.population
            levels = rounded_to_levels(
                activations, population.scale, observed.levels, signed=population.sends_negative
            )
            self.ideal.add(activations, levels)

    @property
    def drop_db(self) -> float | None:
        """How far the ratio is below its ideal; None where either has no error."""
        return decibels(self.actual.noise, self.ideal.noise)


class _Sums:
    """What is known of one population so far."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._expected, self._own = _Compared(), _Compared()
        self._is_compared = False
        self._samples = self._timesteps = 0
        self._spikes = self._saturations = self._clipped = 0
        self._has_spiked = np.zeros(population.neuron_count, dtype=np.bool_)

    def add(self, observed: Observed) -> None:
        self._timesteps = observed.timesteps
        self._samples += len(observed.net_counts)
        self._spikes += int(observed.spike_counts.sum())
        self._saturations += observed.saturations
        self._has_spiked |= observed.spike_counts.any(axis=0)
        if observed.activations is not None:
            self._is_compared = True
            self._expected.add(observed, observed.activations)
            above = np.abs(observed.activations) > self._population.scale[:, None]
            self._clipped += int(np.count_nonzero(above))
        if observed.own_activations is not None:
            self._own.add(observed, observed.own_activations)

    def row(self) -> LayerRow:
        population, expected, own = self._population, self._expected, self._own
        neurons = self._samples * population.neuron_count
        fires = population.reset != "none"
        return LayerRow(
            name=population.name,
            shape=population.shape,
            model=population.model if fires else "accumulator",
            is_output=population.is_output,
            snr_db=expected.actual.ratio_db,
            relative_error=expected.actual.relative_error,
            ideal_snr_db=expected.ideal.ratio_db,
            drop_db=expected.drop_db,
            own_snr_db=own.actual.ratio_db,
            own_relative_error=own.actual.relative_error,
            own_drop_db=own.drop_db,
            clipped=self._clipped / neurons if fires and self._is_compared else None,
            silent=float(np.mean(~self._has_spiked)) if fires else None,
            saturated=self._saturations / (neurons * self._timesteps),
            saturations=self._saturations / self._samples,
            mean_rate=self._spikes / (neurons * self._timesteps) if fires else None,
            spikes=self._spikes / self._samples,
        )


class LayerTally:
    """Adds observations up to a table.

    Parameters
    ----------
    network : ChipNetwork
    """

    def __init__(self, network: ChipNetwork) -> None:
        self._sums = {population.name: _Sums(population) for population in network.populations}

    def add(self, observed: Observed) -> None:
        """Count a population of a batch of samples."""
        self._sums[observed.population.name].add(observed)

    def result(self) -> LayerTable:
        """Of all batches, of which there must be one."""
        rows = tuple(sums.row() for sums in self._sums.values())
        return LayerTable(
            rows,
            _largest({row.name: row.drop_db for row in rows}),
            _largest({row.name: row.own_drop_db for row in rows}),
        )


def _largest(drops: dict[str, float | None]) -> str | None:
    """Name of the largest drop that is one, the first of equal ones."""
    lost = {name: drop for name, drop in drops.items() if drop is not None and drop > NO_DROP_DB}
    return max(lost, key=lambda name: lost[name], default=None)
