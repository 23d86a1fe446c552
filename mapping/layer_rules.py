"""Rules NMD601 to NMD614: layers on the cores of a chip that computes a layer a core.

Everything is counted here anew, in another way than `mapping.layer_cores` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.layer_cores import ConvolutionLayer
from mapping.rules.rule import broken
from mapping.violation import Violation

DAMAGED = "Layers and cores do not belong together, or were edited; map anew"


@dataclass(frozen=True)
class LayerEvidence:
    """What the rules judge.

    Attributes
    ----------
    layers : tuple of ConvolutionLayer
    cores : dict of str to int
        Core by name of the layer.
    profile : LayerCoreProfile
    """

    layers: tuple[ConvolutionLayer, ...]
    cores: dict[str, int]
    profile: LayerCoreProfile

    def placed(self) -> Iterator[tuple[ConvolutionLayer, int]]:
        """Layers on cores that exist."""
        for layer in self.layers:
            core = self.cores.get(layer.name)
            if core is not None and 0 <= core < len(self.profile.cores):
                yield layer, core


@dataclass(frozen=True)
class LayerRule:
    """One rule; the fields as those of `mapping.rules.rule.Rule`."""

    code: str
    title: str
    explanation: str
    check: Callable[[LayerEvidence], Iterator[Violation]]
    figures: tuple[str, ...] = ()
    source: str = ""
    remedy: str = ""


def positions(size: int, kernel: int, stride: int, padding: int) -> int:
    """Places of a kernel along one axis, by listing them."""
    return len(range(-padding, size + padding - kernel + 1, max(stride, 1)))


def maps(layer: ConvolutionLayer) -> tuple[int, int]:
    """Rows and columns of a layer's neurons."""
    return (
        positions(layer.input_shape[1], layer.kernel[0], layer.stride[0], layer.padding[0]),
        positions(layer.input_shape[2], layer.kernel[1], layer.stride[1], layer.padding[1]),
    )


def power_of_two(count: int) -> int:
    """The smallest power of two that is no less."""
    power = 1
    while power < count:
        power *= 2
    return power


def not_on_one_core(evidence: LayerEvidence) -> Iterator[Violation]:
    """Every layer lies on a core that exists, and no other does."""
    names = [layer.name for layer in evidence.layers]
    for name, count in Counter(names).items():
        if count > 1:
            yield broken("NMD601", f"layer {name}", f"{count} layers of this name", DAMAGED)
    for name in names:
        core = evidence.cores.get(name)
        if core is None:
            yield broken("NMD601", f"layer {name}", "on no core", DAMAGED)
        elif not 0 <= core < len(evidence.profile.cores):
            yield broken("NMD601", f"layer {name}", f"on core {core}, which the chip does not have", DAMAGED)
    for name in sorted(set(evidence.cores) - set(names)):
        yield broken("NMD601", f"layer {name}", "on a core, but not in the network", DAMAGED)


def dead_core(evidence: LayerEvidence) -> Iterator[Violation]:
    """No layer lies on a dead core."""
    for layer, core in evidence.placed():
        for dead in evidence.profile.dead_cores:
            if dead.core == core:
                yield broken("NMD602", f"layer {layer.name}", f"core {core} is dead ({dead.source})", "Map anew")


def shared_core(evidence: LayerEvidence) -> Iterator[Violation]:
    """A core computes one layer."""
    for core, count in sorted(Counter(core for _, core in evidence.placed()).items()):
        if count > 1:
            yield broken("NMD603", f"core {core}", "layers on one core", "Map anew", count, 1)


def kernel_memory(evidence: LayerEvidence) -> Iterator[Violation]:
    """Input channels times kernel positions and channels, both rounded up to a power of two."""
    for layer, core in evidence.placed():
        positions_of_kernel = power_of_two(layer.kernel[0] * layer.kernel[1])
        demand = layer.input_shape[0] * positions_of_kernel * power_of_two(layer.channels)
        capacity = evidence.profile.cores[core].kernel_entries.value
        yield from over("NMD604", layer, core, "kernel entries", demand, capacity)


def neuron_memory(evidence: LayerEvidence) -> Iterator[Violation]:
    """Channels times rows and columns of neurons, both rounded up to a power of two."""
    for layer, core in evidence.placed():
        rows, columns = maps(layer)
        demand = layer.channels * power_of_two(rows) * power_of_two(columns)
        capacity = evidence.profile.cores[core].neuron_entries.value
        yield from over("NMD605", layer, core, "neuron entries", demand, capacity)


def bias_memory(evidence: LayerEvidence) -> Iterator[Violation]:
    """One bias a channel."""
    for layer, core in evidence.placed():
        if layer.has_bias:
            capacity = evidence.profile.cores[core].bias_entries.value
            yield from over("NMD606", layer, core, "bias entries", layer.channels, capacity)


def over(code: str, layer: ConvolutionLayer, core: int, what: str, demand: int, capacity: int) -> Iterator[Violation]:
    """A violation if the demand is above the capacity."""
    if demand > capacity:
        yield broken(code, f"layer {layer.name}", f"{what} of core {core}", "Use a larger core", demand, capacity)


def map_too_large(evidence: LayerEvidence) -> Iterator[Violation]:
    """Maps of inputs and of neurons are no larger than addresses can tell."""
    limits = evidence.profile.layer_limits
    for layer in evidence.layers:
        for what, sizes, limit in (
            ("rows or columns of the input", layer.input_shape[1:], limits.input_size.value),
            ("rows or columns of neurons", maps(layer), limits.output_size.value),
        ):
            if max(sizes) > limit:
                remedy = "Use smaller images, or a larger stride or pooling before it"
                yield broken("NMD607", f"layer {layer.name}", what, remedy, max(sizes), limit)


def too_many_channels(evidence: LayerEvidence) -> Iterator[Violation]:
    """Channels of inputs and of neurons."""
    limit = evidence.profile.layer_limits.channels.value
    for layer in evidence.layers:
        for what, count in (("input channels", layer.input_shape[0]), ("channels", layer.channels)):
            if count > limit:
                yield broken("NMD608", f"layer {layer.name}", what, "Use fewer channels", count, limit)


def kernel_not_possible(evidence: LayerEvidence) -> Iterator[Violation]:
    """Kernels are square and not too large."""
    limit = evidence.profile.layer_limits.kernel_size.value
    for layer in evidence.layers:
        rows, columns = layer.kernel
        if rows != columns:
            message = f"kernel of {rows} x {columns}, which is not square"
            yield broken("NMD609", f"layer {layer.name}", message, "Use a square kernel, or fill it up with zeros")
        if max(rows, columns) > limit:
            remedy = "Use a smaller kernel; pool before a dense layer"
            yield broken("NMD609", f"layer {layer.name}", "rows of the kernel", remedy, max(rows, columns), limit)


def stride_not_possible(evidence: LayerEvidence) -> Iterator[Violation]:
    """Strides are ones that the chip has."""
    allowed = evidence.profile.layer_limits.strides.values
    yield from not_listed(evidence, "NMD610", "stride", allowed, lambda layer: layer.stride)


def pooling_not_possible(evidence: LayerEvidence) -> Iterator[Violation]:
    """Pooling windows are ones that the chip has."""
    allowed = evidence.profile.layer_limits.pooling.values
    yield from not_listed(evidence, "NMD612", "pooling", allowed, lambda layer: (layer.source_pooling,))


def not_listed(
    evidence: LayerEvidence,
    code: str,
    what: str,
    allowed: tuple[int, ...],
    values_of: Callable[[ConvolutionLayer], tuple[int, ...]],
) -> Iterator[Violation]:
    """Values of layers that are not among those that the chip has."""
    for layer in evidence.layers:
        for value in sorted(set(values_of(layer)) - set(allowed)):
            listed = ", ".join(map(str, allowed))
            yield broken(code, f"layer {layer.name}", f"{what} {value}; there are {listed}", f"Use another {what}")


def padding_too_wide(evidence: LayerEvidence) -> Iterator[Violation]:
    """Padding is not negative and not too wide."""
    limit = evidence.profile.layer_limits.padding.value
    for layer in evidence.layers:
        if min(layer.padding) < 0:
            yield broken("NMD611", f"layer {layer.name}", "negative padding", "Do not cut the map, or pool it first")
        if max(layer.padding) > limit:
            yield broken("NMD611", f"layer {layer.name}", "padding", "Pad less", max(layer.padding), limit)


def too_many_targets(evidence: LayerEvidence) -> Iterator[Violation]:
    """A core sends to few others."""
    limit = evidence.profile.layer_limits.target_layers.value
    for name, count in sorted(Counter(layer.source for layer in evidence.layers if layer.source is not None).items()):
        if count > limit:
            remedy = "Let fewer layers read it"
            yield broken("NMD613", f"layer {name}", "layers that read it", remedy, count, limit)


def layers_do_not_join(evidence: LayerEvidence) -> Iterator[Violation]:
    """Each layer reads an earlier one, all that it sends and nothing else."""
    earlier: dict[str, ConvolutionLayer] = {}
    for layer in evidence.layers:
        where = f"layer {layer.name}"
        if min(maps(layer)) < 1 or layer.channels < 1:
            yield broken("NMD614", where, "no neurons: the kernel is larger than its input", "Use a smaller kernel")
        if layer.source is not None:
            source = earlier.get(layer.source)
            if source is None:
                yield broken("NMD614", where, f"reads {layer.source}, which is no earlier layer", DAMAGED)
            else:
                sent = (source.channels, *(size // max(layer.source_pooling, 1) for size in maps(source)))
                if sent != layer.input_shape:
                    message = f"reads a map of {layer.input_shape}, but {source.name} sends it one of {sent}"
                    yield broken("NMD614", where, message, DAMAGED)
        earlier[layer.name] = layer


PLACED_LAYER_RULES = (
    LayerRule(
        "NMD601",
        "layer not on one core",
        "Every layer needs one core of the chip.",
        not_on_one_core,
        source="What a mapping of layers is: every layer on one core of its own.",
        remedy="Map anew; layers and cores do not belong together.",
    ),
    LayerRule(
        "NMD602",
        "layer on a dead core",
        "The profile lists cores that are broken.",
        dead_core,
        source="The list dead_cores of the profile, each entry with its own source.",
        remedy="Map anew.",
    ),
    LayerRule(
        "NMD603",
        "layers share a core",
        "A core computes one layer.",
        shared_core,
        source="What a mapping of layers is: every layer on one core of its own.",
        remedy="Map anew.",
    ),
    LayerRule(
        "NMD604",
        "kernel memory full",
        "A kernel takes as many entries as its addresses can tell apart: input channels times a power of two for the "
        "positions of the kernel times one for the channels.",
        kernel_memory,
        source="The cores of the target, as `nmdeploy targets` shows them.",
        remedy="Use a larger core, or fewer channels.",
    ),
    LayerRule(
        "NMD605",
        "neuron memory full",
        "Neurons take as many entries as their addresses can tell apart: channels times a power of two for the rows "
        "times one for the columns, before pooling.",
        neuron_memory,
        source="The cores of the target, as `nmdeploy targets` shows them.",
        remedy="Use a larger core, or a smaller map or fewer channels.",
    ),
    LayerRule(
        "NMD606",
        "bias memory full",
        "A layer with biases takes one entry a channel.",
        bias_memory,
        source="The cores of the target, as `nmdeploy targets` shows them.",
        remedy="Use a larger core, or fewer channels.",
    ),
)
"""Rules of which layer lies on which core."""

LAYER_LIMIT_RULES = (
    LayerRule(
        "NMD607",
        "map too large",
        "Maps of inputs and neurons have a largest size.",
        map_too_large,
        figures=(
            "layer_limits.input_size",
            "layer_limits.output_size",
        ),
        remedy="Use smaller images, or a larger stride or pooling before the layer.",
    ),
    LayerRule(
        "NMD608",
        "too many channels",
        "Inputs and neurons have only so many channels.",
        too_many_channels,
        figures=("layer_limits.channels",),
        remedy="Use fewer channels.",
    ),
    LayerRule(
        "NMD609",
        "kernel not possible",
        "Kernels are square, up to a largest size.",
        kernel_not_possible,
        figures=("layer_limits.kernel_size",),
        remedy="Use a smaller square kernel; pool before a dense layer.",
    ),
    LayerRule(
        "NMD610",
        "stride not possible",
        "There are few strides.",
        stride_not_possible,
        figures=("layer_limits.strides",),
        remedy="Use another stride.",
    ),
    LayerRule(
        "NMD611",
        "padding too wide",
        "Padding has a largest width.",
        padding_too_wide,
        figures=("layer_limits.padding",),
        remedy="Pad less.",
    ),
    LayerRule(
        "NMD612",
        "pooling not possible",
        "There are few sizes of pooling windows.",
        pooling_not_possible,
        figures=("layer_limits.pooling",),
        remedy="Use another pooling.",
    ),
    LayerRule(
        "NMD613",
        "too many target layers",
        "A core sends its spikes to few other cores.",
        too_many_targets,
        figures=("layer_limits.target_layers",),
        remedy="Let fewer layers read the layer.",
    ),
    LayerRule(
        "NMD614",
        "layers do not join",
        "A layer reads the input or one earlier layer, the whole map that this sends.",
        layers_do_not_join,
        source="The shapes of the layers: mapping.layer_cores.",
        remedy="Map anew; layers do not belong together, or use a smaller kernel.",
    ),
)
"""Rules that a layer keeps or breaks whichever core computes it."""
