"""The values behind the figures of an analysis, as tables that a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmdeploy.analysis.channels import ChannelActivations, NormalisedChannels
from nmdeploy.analysis.raster import NeuronSpikes
from nmdeploy.analysis.rates import RateHistogram
from nmdeploy.analysis.shown import share

# Columns of rates, so that they fit a sheet of paper.
MOST_BINS = 16
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
    """Shares of all neurons and samples, per layer and bin; neighbouring bins taken together where there are many.

    Parameters
    ----------
    rates : sequence of RateHistogram
        At least one; all have equal edges.
    """
    count = len(rates[0].positive)
    width = -(-count // MOST_BINS)
    starts = range(0, count, width)
    bins = [f"to {rates[0].edges[min(start + width, count)]:.3f}" for start in starts]
    rows: list[tuple[str, ...]] = []
    for one in rates:
        total = one.zero + sum(one.positive) + sum(one.negative)
        for name, zero, counts in (
            (one.name, _percentage(one.zero, total), one.positive),
            (f"{one.name}, negative", "", one.negative),
        ):
            if zero or any(counts):
                rows.append((name, zero, *(_percentage(sum(counts[at : at + width]), total) for at in starts)))
    caption = "Share of the rates in per cent: of those 0, then of those above the bin before, up to the one named."
    if width > 1:
        caption += " Finer: the key rates of nmdeploy analyze --json."
    return Table(caption, ("layer", "0", *bins), tuple(rows))


def _percentage(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}"


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
