"""What mapping tells of each layer: cores, what binds, whether all inputs of a neuron are summed in one core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mapping.violation import Violation
from nmdeploy.layers.graph import LayerGraph


@dataclass(frozen=True)
class MappedLayer:
    """One population of the lowered network, with all that mapping adds to it.

    Attributes
    ----------
    name : str
        Of the population.
    weighted : tuple of str
        Layers of the trained network through whose weights it gets its input.
    neurons : int
        Of the population; partial sums and relays not counted.
    cores : int or None
        Cores that hold a part of it, of its partial sums or of its relays; None if nothing was mapped.
    share : float or None
        Of all cores; a core that several layers have a part of counts for each by its neurons there.
    uses : dict of str to float
        Share of each capacity of these cores that is used, in the mean; on chips whose cores or neurons are not shared,
        of the core that the layer has, or would need.
    sum_of : tuple of (int, int) or None
        Where inputs of a neuron are summed in parts: what they would need in one core, and what a core has.
    parts : int
        In which they are summed; 1 if in one core, or in one part of each sign.
    copies : int
        Columns of crossbars that repeat neurons, so that they can drive more axons.
    relays : int
        Neurons put in for the same purpose, or for delays.
    on_host : bool
        Computed by the host, so that it takes no core.
    refusals : tuple of Violation
        Why it fits no core.
    """

    name: str
    weighted: tuple[str, ...]
    neurons: int
    cores: int | None
    share: float | None = None
    uses: Mapping[str, float] = field(default_factory=dict)
    sum_of: tuple[int, int] | None = None
    parts: int = 1
    copies: int = 0
    relays: int = 0
    on_host: bool = False
    refusals: tuple[Violation, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether all inputs of a neuron are summed in one core; a single part of two signs is none."""
        return self.sum_of is None

    @property
    def binds(self) -> str | None:
        """The capacity that is used most."""
        return max(self.uses, key=lambda name: self.uses[name], default=None)


@dataclass(frozen=True)
class MappedNetwork:
    """A network on a target, or why it is not.

    Attributes
    ----------
    layers : tuple of MappedLayer
        Sources before targets.
    cores : int or None
        None where a layer fits no core.
    chips : int or None
    cores_bound : int or None
        No mapping takes fewer; None where that was not asked for.
    refusals : tuple of Violation
        Those of layers, and those of the network as a whole.
    """

    layers: tuple[MappedLayer, ...]
    cores: int | None
    chips: int | None
    cores_bound: int | None
    refusals: tuple[Violation, ...]

    @property
    def fits(self) -> bool:
        """Whether the target holds the network."""
        return not self.refusals

    @property
    def refused(self) -> frozenset[str]:
        """Layers that fit no core."""
        return frozenset(layer.name for layer in self.layers if layer.refusals)

    @property
    def in_parts(self) -> frozenset[str]:
        """Layers whose inputs are summed in parts."""
        return frozenset(layer.name for layer in self.layers if not layer.is_exact)

    def layer(self, name: str) -> MappedLayer | None:
        """The layer of this name, if there is one."""
        return next((layer for layer in self.layers if layer.name == name), None)


@dataclass(frozen=True)
class Troubles:
    """What can be told of a network before it is quantised.

    Attributes
    ----------
    refused, in_parts : frozenset of str
        Layers with more inputs than a core takes: those that therefore fit none, and those that are summed in parts.
    """

    refused: frozenset[str] = frozenset()
    in_parts: frozenset[str] = frozenset()

    @property
    def layers(self) -> frozenset[str]:
        """All of them."""
        return self.refused | self.in_parts


class Mapper(Protocol):
    """Maps networks to one target."""

    @property
    def unit(self) -> str:
        """What the target has many of, in the plural."""

    @property
    def bits(self) -> int | None:
        """Of the weights; None where each layer has what it needs."""

    @property
    def fewer_bits(self) -> tuple[int, ...]:
        """Widths of weights that the target has below those, widest first."""

    @property
    def can_pool(self) -> bool:
        """Whether pooling costs no neurons and no inputs."""

    def coarsest(self) -> Mapper | None:
        """One by which nothing has more inputs than by this; None where how many there are is a matter of shapes."""

    def with_bits(self, bits: int) -> Mapper:
        """The same for narrower weights."""

    def with_split_fan_in(self) -> Mapper | None:
        """The same, summing in parts what has too many inputs; None if that is so already, or nothing is."""

    def troubles(self, layers: LayerGraph, names: Collection[str] | None = None) -> Troubles:
        """What has too many inputs, of the layers named or of all; takes much less time than mapping.

        Raises
        ------
        UnsupportedNetworkError
        """

    def mapped(self, layers: LayerGraph, *, bounded: bool = False) -> MappedNetwork:
        """Lower, quantise and partition a network.

        Raises
        ------
        UnsupportedNetworkError, QuantizationError, NmdeployError
        """


def owner(name: str, layers: Collection[str]) -> str | None:
    """The layer that a population belongs to: parts, relays and halves have its name with a dot and more behind."""
    owners = [one for one in layers if name == one or name.startswith(f"{one}.")]
    return max(owners, key=len, default=None)


def refused_network(
    rows: Sequence[MappedLayer], violations: Iterable[Violation], cores: int | None = None, chips: int | None = None
) -> MappedNetwork:
    """A network that is not mapped, with the reasons at the layers that they name; others belong to no layer."""
    listed = tuple(violations)
    names = [row.name for row in rows]
    reasons: dict[str | None, list[Violation]] = {}
    for violation in listed:
        kind, _, name = violation.where.partition(" ")
        of = owner(name, names) if kind in ("population", "layer") else None
        reasons.setdefault(of, []).append(violation)
    layers = tuple(replace(row, refusals=tuple(reasons.get(row.name, ()))) for row in rows)
    return MappedNetwork(layers, cores, chips, None, listed)
