"""The values behind the figures of an analysis, as tables that a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmdeploy.analysis.channels import ChannelActivations, NormalisedChannels
from nmdeploy.analysis.raster import NeuronSpikes
from nmdeploy.analysis.rates import RateHistogram
from nmdeploy.analysis.shown import percent, share

# Neurons of the raster with a row of their own.
NEURONS_LISTED = 40


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column is a name.

    Attributes
    ----------
    caption : str
    headings : tuple of str
    rows : tuple of tuple of str
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rate_table(rates: Sequence[RateHistogram]) -> Table:
    """Shares of all neurons and samples, per layer and bin.

    Parameters
    ----------
    rates : sequence of RateHistogram
        At least one; all have equal edges.
    """
    edges = rates[0].edges
    bins = [f"to {edge:.3f}" for edge in edges[1:]]
    rows: list[tuple[str, ...]] = []
    for one in rates:
        total = one.zero + sum(one.positive) + sum(one.negative)
        rows.append((one.name, percent(one.zero / total), *(percent(count / total) for count in one.positive)))
        if any(one.negative):
            rows.append((f"{one.name}, negative", "", *(percent(count / total) for count in one.negative)))
    return Table("Share of the rates above the bin before, up to the one named.", ("layer", "0", *bins), tuple(rows))


def channel_table(layers: Sequence[ChannelActivations]) -> Table:
    """The least, mean and most of all channels of a layer, under each norm."""
    rows = [
        (f"{channels.name}, {norm_name}", *_spread(norm))
        for channels in layers
        for norm_name, norm in (
            ("layer norm", channels.layer_norm),
            ("channel norm", channels.channel_norm),
            ("as compiled", channels.compiled),
        )
    ]
    measured = ("largest activation", "mean activation")
    headings = tuple(f"{what}: {which}" for what in measured for which in ("least", "mean", "most"))
    return Table(
        "Over the channels of a layer. Every channel: the key channels of nmdeploy analyze --json.",
        ("layer, norm", *headings),
        tuple(rows),
    )


def _spread(norm: NormalisedChannels) -> tuple[str, ...]:
    return tuple(
        share(value)
        for values in (norm.maximum, norm.mean)
        for value in (min(values), sum(values) / len(values), max(values))
    )


def raster_table(neurons: Sequence[NeuronSpikes]) -> Table:
    """Steps in which each sampled neuron spikes; those of spikes of -1 with a minus sign."""
    rows = [
        (
            f"{neuron.population} ({neuron.channel}, {neuron.row}, {neuron.column})",
            str(neuron.first_step),
            str(len(neuron.steps)),
            " ".join(str(sign * step) for step, sign in zip(neuron.steps, neuron.signs, strict=True)),
        )
        for neuron in neurons[:NEURONS_LISTED]
    ]
    caption = "A minus sign: a spike of -1."
    if len(neurons) > NEURONS_LISTED:
        caption += f" The first {NEURONS_LISTED} of {len(neurons)}; the others: raster of nmdeploy analyze --json."
    return Table(caption, ("neuron", "can spike from step", "spikes", "in steps"), tuple(rows))
