"""The smallest changes with which a layer fits, is summed in one core, or takes fewer cores: searched, and mapped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nmdeploy.advise.carry_on import CannotChangeError
from nmdeploy.advise.change import Change, Kind, changed, parameters, possible_changes
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, Mapper
from nmdeploy.advise.weighted_layers import layers_before
from nmdeploy.energy.float_network import float_operations
from nmdeploy.errors import NmdeployError
from nmdeploy.layers.graph import LayerGraph

Goal = Literal["fits", "exact", "fewer chips", "fewer cores"]


# Share of the cores that even narrower weights must save to be worth a line of their own.
FURTHER_SAVING = 0.25


class OutOfTimeError(Exception):
    """The time for the search is over."""


@dataclass(frozen=True)
class Proposal:
    """Changes, and the network with them on the target.

    Attributes
    ----------
    layer : str or None
        That it is meant for; None for one that changes the whole network.
    goal : {"fits", "exact", "fewer chips", "fewer cores"}
    changes : tuple of Change
    weight_bits : int or None
        Of all weights, where these are narrower.
    split_fan_in : bool
        Whether what has too many inputs is summed in parts.
    parameters, macs : int
        Of the changed network without spikes.
    mapped : MappedNetwork or None
        None where there was no time.
    """

    layer: str | None
    goal: Goal
    changes: tuple[Change, ...]
    weight_bits: int | None
    split_fan_in: bool
    parameters: int
    macs: int
    mapped: MappedNetwork | None

    @property
    def needs_training(self) -> bool:
        """Whether the network is another one; only sums in parts leave it as it is."""
        return bool(self.changes) or self.weight_bits is not None

    def __str__(self) -> str:
        parts = [str(change) for change in self.changes]
        if self.weight_bits is not None:
            parts.append(f"all weights of {self.weight_bits} bits (--weight-bits {self.weight_bits})")
        if self.split_fan_in:
            parts.append("sums in parts, approximate (--split-fan-in)")
        return "; ".join(parts)


@dataclass
class Search:
    """Looks for the smallest changes of one network on one target.

    Attributes
    ----------
    graph : LayerGraph
    mapper : Mapper
    before : MappedNetwork
        The network as it is.
    deadline : float
        On the clock, in seconds; what is not done by then is left out.
    clock : callable
    left_out : list of str
        What there was no time for.
    notes : list of str
        What cannot be quantised, and why.
    """

    graph: LayerGraph
    mapper: Mapper
    before: MappedNetwork
    deadline: float
    clock: Callable[[], float] = time.monotonic
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mapped: dict[tuple[Change, ...], MappedNetwork | None] = {}
        self._early = self.mapper.troubles(self.graph)

    def changes_for(self, layer: MappedLayer, goal: Goal) -> list[Change]:
        """The smallest change of each kind, of each layer where it helps, that reaches the goal."""
        found = []
        for kind, name in self._places(layer, goal):
            try:
                change = self._smallest(possible_changes(self.graph, kind, name), layer.name, goal)
            except OutOfTimeError:
                self.left_out.append(f"{kind} of {name} for {layer.name}")
                continue
            if change is not None:
                found.append(change)
        return found

    def proposal(self, layer: str | None, goal: Goal, changes: tuple[Change, ...]) -> Proposal:
        """Changes with the network that they make, mapped if there is time."""
        graph = changed(self.graph, changes)
        try:
            mapped = self._map(changes)
        except OutOfTimeError:
            mapped = None
            self.left_out.append(f"the cores of {'; '.join(map(str, changes))}")
        return Proposal(layer, goal, changes, None, False, parameters(graph), macs(graph), mapped)

    def narrower_weights(self) -> list[Proposal]:
        """The widest weights that help, and those narrower ones that help further layers."""
        found: list[Proposal] = []
        troubled = self.before.refused | self.before.in_parts
        for bits in self.mapper.fewer_bits:
            mapper = self.mapper.with_bits(bits)
            try:
                self._check_time()
                if self._early.refused and not mapper.troubles(self.graph).refused < self._early.refused:
                    continue
                mapped = mapper.mapped(self.graph)
            except OutOfTimeError:
                self.left_out.append(f"weights of {bits} bits")
                break
            except NmdeployError:
                break  # so narrow that the target holds no such weights, nor narrower ones
            left = mapped.refused | mapped.in_parts
            goal: Goal = "fits" if self.before.refused else "exact"
            if not left < troubled:
                goal = "fewer chips" if reached(mapped, self.before, None, "fewer chips") else "fewer cores"
                before = self.before if not found else found[-1].mapped
                saves = before is not None and _saves(mapped, before, 0.0 if not found else FURTHER_SAVING)
                if not saves:
                    continue
            troubled = left
            found.append(
                Proposal(None, goal, (), bits, False, parameters(self.graph), macs(self.graph), mapped)
            )
        return found

    def sums_in_parts(self) -> list[Proposal]:
        """Sums in parts of what has too many inputs, where that is a choice."""
        mapper = self.mapper.with_split_fan_in()
        if mapper is None or not self._early.refused:
            return []
        try:
            self._check_time()
            mapped = mapper.mapped(self.graph)
        except OutOfTimeError:
            self.left_out.append("sums in parts")
            return []
        except NmdeployError as error:
            self.notes.append(f"sums in parts (--split-fan-in): {error}")
            return []
        return [Proposal(None, "fits", (), None, True, parameters(self.graph), macs(self.graph), mapped)]

    def together(self, changes: Mapping[str, Sequence[Change]], first: Kind, goal: Goal) -> Proposal | None:
        """One change for each layer at once, of this kind where there is one; None if that is no more than one.

        Parameters
        ----------
        changes : mapping of layer to sequence of Change
            From `changes_for`.
        first : str
        goal : {"fits", "exact"}
        """
        strictest: dict[tuple[Kind, str], Change] = {}
        for found in changes.values():
            for change in sorted(found, key=lambda one: one.kind != first)[:1]:
                # what makes one layer narrow enough for two readers is the smaller of both
                other = strictest.get((change.kind, change.layer), change)
                strictest[change.kind, change.layer] = min(change, other, key=lambda one: one.after)
        position = {layer.name: number for number, layer in enumerate(self.graph.layers)}
        chosen = tuple(sorted(strictest.values(), key=lambda one: (position[one.layer], one.kind)))
        if len(chosen) < 2:
            return None
        try:
            return self.proposal(None, goal, chosen)
        except CannotChangeError:
            return None

    def _places(self, layer: MappedLayer, goal: Goal) -> list[tuple[Kind, str]]:
        """Kinds of changes that can help, and the layers of the trained network that they are changes of."""
        own = list(layer.weighted)
        before = list(dict.fromkeys(name for one in own for name in layers_before(self.graph, one)))
        places: list[tuple[Kind, str]] = [("groups", name) for name in own]
        only_inputs = layer.name in self._early.layers
        if not only_inputs:
            places += [("channels", name) for name in own]
        if goal in ("fits", "exact"):
            places += [("channels", name) for name in before]
        if not only_inputs:
            places += [("stride", name) for name in own]
        if goal in ("fits", "exact"):
            places += [("stride", name) for name in before]
        if self.mapper.can_pool:
            places += [("pooling", name) for name in own]
        return places

    def _smallest(self, changes: list[Change], layer: str, goal: Goal) -> Change | None:
        """The first of these changes, which grow, that reaches the goal; of fewer channels found by bisection."""
        if changes and changes[0].kind == "channels":
            coarsest = self.mapper.coarsest() if self._by_inputs(layer, goal) else None
            if coarsest is None:
                return next(iter(_from_first(changes, lambda change: self._reaches(change, layer, goal))), None)
            # how many axons an input takes depends on the weights that are left, so that more channels may take fewer
            changes = _from_first(changes, lambda change: self._narrow_enough(change, layer, coarsest))
        return next((change for change in changes if self._reaches(change, layer, goal)), None)

    def _by_inputs(self, layer: str, goal: Goal) -> bool:
        """Whether the inputs of the layer are what is too much."""
        return goal in ("fits", "exact") and layer in self._early.layers

    def _narrow_enough(self, change: Change, layer: str, mapper: Mapper) -> bool:
        self._check_time()
        return layer not in mapper.troubles(changed(self.graph, [change]), [layer]).layers

    def _reaches(self, change: Change, layer: str, goal: Goal) -> bool:
        if self._by_inputs(layer, goal):
            if not self._narrow_enough(change, layer, self.mapper):
                return False
            if goal == "exact":
                return True
        mapped = self._map((change,))
        return mapped is not None and reached(mapped, self.before, layer, goal)

    def _map(self, changes: tuple[Change, ...]) -> MappedNetwork | None:
        """The changed network on the target; None if it cannot be converted.

        Raises
        ------
        OutOfTimeError
        """
        if changes not in self._mapped:
            self._check_time()
            try:
                self._mapped[changes] = self.mapper.mapped(changed(self.graph, changes))
            except NmdeployError:
                self._mapped[changes] = None
        return self._mapped[changes]

    def _check_time(self) -> None:
        if self.clock() > self.deadline:
            raise OutOfTimeError


def _saves(mapped: MappedNetwork, before: MappedNetwork, share: float) -> bool:
    """Whether a network takes fewer cores, by more than this share."""
    return mapped.cores is not None and before.cores is not None and mapped.cores < (1 - share) * before.cores


def _from_first(changes: list[Change], does: Callable[[Change], bool]) -> list[Change]:
    """Changes from the first that does, taken that all larger ones do; by bisection."""
    if not changes or not does(changes[-1]):
        return []
    too_small, enough = -1, len(changes) - 1
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        if does(changes[middle]):
            enough = middle
        else:
            too_small = middle
    return changes[enough:]


def reached(mapped: MappedNetwork, before: MappedNetwork, layer: str | None, goal: Goal) -> bool:
    """Whether a changed network reaches a goal.

    Parameters
    ----------
    mapped, before : MappedNetwork
        With and without the change.
    layer : str or None
        The layer that is meant; None for the network as a whole.
    goal : {"fits", "exact", "fewer chips", "fewer cores"}
    """
    if goal == "fits":
        if layer is not None and layer in before.refused:
            return layer not in mapped.refused
        return mapped.fits
    if goal == "exact":
        return not mapped.refused and layer not in mapped.in_parts
    if mapped.cores is None or before.cores is None:
        return False
    if goal == "fewer cores":
        return mapped.cores < before.cores
    return mapped.chips is not None and before.chips is not None and mapped.chips < before.chips


def macs(graph: LayerGraph) -> int:
    """Multiply-accumulates of an inference without spikes, those of padding left out."""
    return sum(layer.macs for layer in float_operations(graph))
