"""Mapping to chips whose cores hold neurons and synapses: one quantisation, no search, no addresses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from hw_profiles import HardwareProfile
from mapping.bounds import core_bounds
from mapping.core_graph import Core
from mapping.fan_in_parts import largest_fan_in
from mapping.network import ChipNetwork
from mapping.partition import partition
from mapping.refusal import too_many_chips
from mapping.tile_loads import ADDED
from mapping.violation import DoesNotFitError, Violation
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, Troubles, owner, refused_network
from nmdeploy.advise.quick_quantization import quickly_quantized
from nmdeploy.advise.weighted_layers import weighted_layers
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import convert
from nmdeploy.convert.lower_layers import NeuronKind, lower_layers
from nmdeploy.convert.split_fan_in import FanInLimit, too_wide, with_split_fan_in
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import neuron_kinds
from nmdeploy.search.recipe import default_neurons
from nmdeploy.simplify import simplify
from nmdeploy.spiking.network import INPUT, SpikingNetwork

PERCENTILE = 99.9
NO_LIMIT = 10**9
CHIPS_RULE = "NMD107"


@dataclass(frozen=True)
class NeuronCoreMapper:
    """Maps networks to one chip of cores with neurons.

    Attributes
    ----------
    profile : HardwareProfile
    calibration : Calibration
        Few samples do: scales decide next to nothing of what a core holds.
    timesteps : int
    bits : int
        Of the weights.
    split_fan_in : bool
        Whether what has more inputs than a core has input axons is summed in parts.
    """

    profile: HardwareProfile
    calibration: Calibration
    timesteps: int
    bits: int
    split_fan_in: bool = False
    unit: str = "cores"
    can_pool: bool = False

    @property
    def fewer_bits(self) -> tuple[int, ...]:
        """Widths of weights that the target has below those, widest first."""
        return tuple(sorted(one for one in self.profile.number_formats.weight_bits.values if one < self.bits)[::-1])

    def coarsest(self) -> None:
        """Shapes alone decide how many inputs there are."""

    def with_bits(self, bits: int) -> NeuronCoreMapper:
        """The same for narrower weights."""
        return replace(self, bits=bits)

    def with_split_fan_in(self) -> NeuronCoreMapper | None:
        """The same, summing in parts what has too many inputs; None if that is so already."""
        return None if self.split_fan_in or self._limit is None else replace(self, split_fan_in=True)

    def troubles(self, layers: LayerGraph, names: Collection[str] | None = None) -> Troubles:
        """What has too many inputs."""
        network, _ = lower_layers(simplify(layers), self._kinds)
        return self._troubles(network)

    def mapped(self, layers: LayerGraph, *, bounded: bool = False) -> MappedNetwork:
        """Lower, quantise and partition a network."""
        simplified = simplify(layers)
        lowered, audit = lower_layers(simplified, self._kinds)
        weighted = weighted_layers(simplified, lowered, audit)
        troubles = self._troubles(lowered)
        sums = self._sums_in_parts(lowered, troubles.in_parts)
        rows = [
            MappedLayer(
                name=population.name,
                weighted=weighted.get(population.name, ()),
                neurons=int(np.prod(population.shape)),
                cores=None,
                sum_of=sums.get(population.name, (None, 1))[0],
                parts=sums.get(population.name, (None, 1))[1],
            )
            for population in lowered.populations
        ]
        limit = self._limit
        if limit is not None and not self.split_fan_in and troubles.refused:
            return refused_network(rows, too_wide(lowered, limit))
        split = limit if self.split_fan_in else None
        converted = convert(layers, self.calibration, PERCENTILE, self._kinds, "membrane", split)
        violations = [] if limit is None else too_wide(converted.network, limit)
        if violations:
            return refused_network(rows, violations)
        options = QuantizationOptions(self.timesteps, self.bits)
        network = quickly_quantized(converted, self.calibration, self.profile, options).network
        try:
            cores, chips, refusals = self._partitioned(network)
        except DoesNotFitError as error:
            return refused_network(rows, error.violations)
        bound = core_bounds(network, self.profile).of_any_mapping if bounded else None
        return MappedNetwork(tuple(self._measured(rows, cores)), len(cores), chips, bound, tuple(refusals))

    @property
    def _kinds(self) -> frozenset[NeuronKind]:
        return neuron_kinds(default_neurons(self.profile, "subtract"), self.profile)

    @property
    def _limit(self) -> FanInLimit | None:
        return FanInLimit.of(self.profile, "subtract")

    def _troubles(self, lowered: SpikingNetwork) -> Troubles:
        limit = self._limit
        if limit is None:
            return Troubles()
        wide = frozenset(one.where.partition(" ")[2] for one in too_wide(lowered, limit))
        if not self.split_fan_in or not wide:
            return Troubles(refused=wide)
        split, _ = with_split_fan_in(lowered, limit, self._kinds)
        names = [population.name for population in lowered.populations]
        left = {owner(one.where.partition(" ")[2], names) for one in too_wide(split, limit)}
        refused = frozenset(name for name in left if name is not None)
        return Troubles(refused=refused, in_parts=wide - refused)

    def _sums_in_parts(
        self, lowered: SpikingNetwork, names: Collection[str]
    ) -> dict[str, tuple[tuple[int, int] | None, int]]:
        """Inputs of each layer that is summed in parts, those that a core takes, and the number of parts."""
        limit = self._limit
        if limit is None or not names:
            return {}
        split, _ = with_split_fan_in(lowered, limit, self._kinds)
        signs = 1 if "leaky" in self._kinds else 2
        found: dict[str, tuple[tuple[int, int] | None, int]] = {}
        for name in names:
            population = lowered.population(name)
            tables = [one.connectivity for one in lowered.incoming(name) if one.source != INPUT]
            made = sum(one.name.startswith(f"{name}.part") for one in split.populations)
            found[name] = (largest_fan_in(tables), limit.room(population)), 1 + made // signs
        return found

    def _partitioned(self, network: ChipNetwork) -> tuple[list[Core], int, list[Violation]]:
        """Cores and chips, and a violation if there are too many.

        Raises
        ------
        DoesNotFitError
            For another reason.
        """
        try:
            found = partition(network, self.profile)
        except DoesNotFitError as error:
            if any(violation.rule != CHIPS_RULE for violation in error.violations):
                raise
            mesh = self.profile.mesh
            chips = mesh.chips.model_copy(update={"value": NO_LIMIT})
            endless = self.profile.model_copy(update={"mesh": mesh.model_copy(update={"chips": chips})})
            found = partition(network, endless)
        return found.cores, found.chip_count, too_many_chips(len(found.cores), self.profile)

    def _measured(self, rows: list[MappedLayer], cores: list[Core]) -> Iterable[MappedLayer]:
        """The layers with their cores, and what these use of their capacities in the mean."""
        names = [row.name for row in rows]
        fields = {name: getattr(self.profile.core_limits, name) for name in ADDED}
        limits = {name: int(limit.value) for name, limit in fields.items() if limit is not None}
        count: Counter[str | None] = Counter()
        share: defaultdict[str | None, float] = defaultdict(float)
        used: dict[str | None, Counter[str]] = {name: Counter() for name in (*names, None)}
        for core in cores:
            neurons: Counter[str | None] = Counter()
            for tile in core.tiles:
                neurons[owner(tile.population, names)] += tile.neuron_count
            for name, held in neurons.items():
                count[name] += 1
                share[name] += held / (neurons.total() * len(cores))
                used[name].update({limit: getattr(core.demands, limit) for limit in limits})
        for row in rows:
            uses = {limit: used[row.name][limit] / (count[row.name] * size) for limit, size in limits.items()}
            yield replace(row, cores=count[row.name], share=share[row.name], uses=uses)
