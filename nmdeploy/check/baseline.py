"""Comparison of a mapping with an earlier one of the same network on the same target."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hw_profiles.energy import EnergyPreset
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.check.budget import budget_number, known_measure
from nmdeploy.check.measures import FloatArray, Measure, measures
from nmdeploy.check.places import foremost_core
from nmdeploy.errors import NmdeployError


@dataclass(frozen=True)
class Tolerance:
    """By how much each measure may grow before it counts as worse, as a share of the old value.

    Attributes
    ----------
    general : Fraction
    of_measure : dict of str to Fraction
        Exceptions by measure; one for ``utilisation`` holds for all single capacities, too.
    """

    general: Fraction
    of_measure: dict[str, Fraction]

    def of(self, measure: str) -> Fraction:
        """The tolerance of one measure."""
        family = measure.partition(".")[0]
        return self.of_measure.get(measure, self.of_measure.get(family, self.general))


def read_tolerance(given: list[str]) -> Tolerance:
    """The tolerance from what stands after ``--tolerance``: ``5%``, and ``MEASURE=10%`` for exceptions.

    Raises
    ------
    NmdeployError
        One is neither.
    """
    general = Fraction(0)
    of_measure: dict[str, Fraction] = {}
    for text in given:
        where = f"--tolerance {text}"
        name, equals, value = text.rpartition("=")
        # Shares are compared as exact fractions: 115 is 15 % more than 100, though 100 * 1.15 in floats is below 115.
        share = Fraction(str(budget_number(value.strip(), where)))
        if share >= 1 and "%" not in value:
            raise NmdeployError(f"{where}: write a percentage, as 5%, or a share below 1, as 0.05")
        if equals:
            of_measure[known_measure(name.strip(), where)] = share
        else:
            general = share
    return Tolerance(general, of_measure)


@dataclass(frozen=True)
class Change:
    """One measure, then and now.

    Attributes
    ----------
    measure : str
    old, new : float
    tolerance : Fraction
    where : str
        Core that has most to do with the change, or the network.
    """

    measure: str
    old: float
    new: float
    tolerance: Fraction
    where: str

    @property
    def share(self) -> float | None:
        """Growth as a share of the old value; None where the old one is 0 and the new one is not."""
        if self.new == self.old:
            return 0.0
        return self.new / self.old - 1 if self.old else None

    @property
    def worse(self) -> bool:
        """Whether it has grown by more than the tolerance."""
        return Fraction(self.new) > Fraction(self.old) * (1 + self.tolerance)


def compare(
    compiled: Artifact, found: dict[str, Measure], baseline: Artifact, preset: EnergyPreset, tolerance: Tolerance
) -> list[Change]:
    """Compare the measures of two mappings.

    Parameters
    ----------
    compiled, baseline : Artifact
        Of the same network and target, see `refuse_other_network`.
    found : dict of str to Measure
        Of `compiled`.
    preset : EnergyPreset
        For the energy of `baseline`.
    tolerance : Tolerance

    Returns
    -------
    list of Change
        Of the measures that both have.
    """
    old = measures(baseline, preset)
    positions = {core.tiles: index for index, core in enumerate(baseline.placement.cores)}
    same_tiles = [positions.get(core.tiles) for core in compiled.placement.cores]
    changes = []
    for name in (name for name in found if name in old):
        before, now = old[name], found[name]
        amounts = now.by_core if now.is_peak else _growth(now.by_core, before.by_core, same_tiles)
        where = foremost_core(amounts, compiled.placement)
        changes.append(Change(name, before.value, now.value, tolerance.of(name), where))
    return changes


def _growth(now: FloatArray, before: FloatArray, same_tiles: list[int | None]) -> FloatArray:
    """What each core has more than the core with the same tiles had; all of it where there was none."""
    earlier = np.array([0.0 if index is None else before[index] for index in same_tiles])
    return np.subtract(now, earlier)


def refuse_other_network(compiled: Artifact, baseline: Artifact) -> None:
    """Refuse a baseline that measures something else: another target, or layers that differ.

    Weights may differ, as those of a network trained anew do.

    Raises
    ------
    NmdeployError
        Says what differs.
    """
    now, old = compiled.profile.name, baseline.profile.name
    if now != old:
        raise NmdeployError(f"--baseline is for another target: {old}, not {now}")
    differing = sorted(_layers(compiled) ^ _layers(baseline))
    if differing:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise NmdeployError(
            f"--baseline is of another network: the two differ in {differing[0]}{more}. "
            "Compile the network of today with the old mapping options, or begin with a new baseline."
        )


def _layers(artifact: Artifact) -> set[str]:
    """Input, populations and projections of the network before quantisation and mapping, in words."""
    network = artifact.float_network
    return {
        f"input of shape {network.input_shape}",
        *(f"population {one.name} of shape {one.shape}" for one in network.populations),
        *(f"projection {one.name} from {one.source} to {one.target}" for one in network.projections),
    }


def remarks(compiled: Artifact, baseline: Artifact) -> list[str]:
    """What differs besides the mapping and explains changes, in words."""
    pairs = {
        "time steps": (baseline.counts.timesteps, compiled.counts.timesteps),
        "samples of the counts": (baseline.manifest.calibration, compiled.manifest.calibration),
    }
    found = [f"{what}: {old}, now {new}" for what, (old, new) in pairs.items() if old != new]
    if baseline.profile != compiled.profile:
        found.append(f"the profile of {compiled.profile.name} has changed")
    return found
