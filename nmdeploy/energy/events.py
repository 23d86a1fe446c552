"""The kinds of events that presets have prices for, and how often each happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from hw_profiles.energy import EVENT_KINDS, EventKind
from nmdeploy.energy.counts import TileCounts

Counting = Literal["dense", "effective"]
InputConvention = Literal["cached", "every-step"]


def tile_events(tile: TileCounts, counting: Counting, convention: InputConvention) -> dict[EventKind, int]:
    """Events of one tile, summed over all samples.

    Parameters
    ----------
    tile : TileCounts
    counting : {"dense", "effective"}
        Whether synapses of weight zero, and inputs of zero, are counted.
    convention : {"cached", "every-step"}
        Whether the input current is multiplied once and then added in every step, as the chip does, or multiplied in
        every step, as papers count it.
    """
    effective, cached = counting == "effective", convention == "cached"
    once = tile.input_mac_effective if effective else tile.input_mac_dense
    every_step = tile.input_mac_effective_every_step if effective else tile.input_mac_dense_every_step
    return {
        "accumulate": tile.ac_effective if effective else tile.ac_dense,
        "multiply_accumulate": once if cached else every_step,
        "input_addition": tile.input_additions if cached else 0,
        "neuron_update": tile.neuron_updates,
        "bias_addition": tile.bias_additions,
        "reset": tile.resets,
        "spike": tile.spikes,
        "message": tile.messages,
        "hop_x": tile.hops_x,
        "hop_y": tile.hops_y,
    }


def summed_events(
    tiles: Iterable[TileCounts], counting: Counting, convention: InputConvention
) -> dict[EventKind, int]:
    """Events of several tiles together."""
    total: dict[EventKind, int] = dict.fromkeys(EVENT_KINDS, 0)
    for tile in tiles:
        for kind, count in tile_events(tile, counting, convention).items():
            total[kind] += count
    return total
