"""When adding spikes one by one beats multiplying all of them: justifies the rule of the compiled simulator.

python -m benchmarks.event_products

Processor time on one core. The first table has convolutions of several widths and kernels and 64 steps: the dense
kernel, the event kernel over firing rates, the rate below which the events win, and the rate at which the rule of
`nmdeploy.simulator.fast_products` changes over. The second has the same of dense layers, for 1 and 128 images of
64 steps, with both dense kernels that they may have. Then the constants of the rule, fitted to these times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator import fast_products
from nmdeploy.simulator.fast_products import FastProduct

STEPS = 64
REPEATS = 15
LONGEST_SECONDS = 0.5
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
SHAPES = ((16, 32), (32, 16), (64, 8), (128, 8), (256, 4), (512, 4), (512, 2))
# Channels and size of what a dense layer reads, and its outputs.
DENSE_LAYERS = (
    (32, 1, 10),
    (64, 1, 10),
    (128, 1, 10),
    (256, 1, 10),
    (128, 1, 100),
    (64, 4, 10),
    (64, 8, 10),
    (4096, 1, 10),
    (512, 1, 512),
    (4096, 1, 1000),
    (4096, 1, 4096),
)
IMAGES = (1, 128)
# Float weights of larger layers are read from memory rather than from caches, which the rule does not know.
LARGEST_FITTED = 5_000_000
# Numbers of weights below which a dense layer is computed in float32, such that all layers are, or none.
FEW_WEIGHTS = {"float32": np.inf, "8 bits": 0}
TIMES = tuple(f"events at {rate}" for rate in RATES)
HEADINGS = ("layer", "kernel", "ns a MAC", "dense ms", *TIMES, "events win below", "rule")
DENSE_HEADINGS = (
    *("layer", "weights", "images", "float32 ms", "ns a MAC", "8 bits ms", "ns a MAC", "taken"),
    *(*TIMES, "events win below", "rule"),
)


def milliseconds(work: Callable[[], object]) -> float:
    """Least processor time of several runs, after one that is not counted."""
    work()
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < LONGEST_SECONDS:
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times) * 1e3


def convolution(channels: int, size: int, *, binary: bool = True, mirrored: bool = False) -> FastProduct:
    """A 3x3 convolution; mirrored, its rows are in an order that no library's convolution has."""
    taps = tap_table(size, size, 3, 1, 1, 1)
    shape = (channels, size, size)
    rows = taps[::-1] if mirrored else taps
    return random_product(Connectivity(shape, shape, rows, taps, (0, channels), (0, channels)), binary=binary)


def dense_layer(channels: int, size: int, outputs: int, *, few_weights: float) -> FastProduct:
    """Every output reads every neuron; in float32 if there are fewer weights than `few_weights`."""
    taps = np.arange(size, dtype=np.int32)[None]
    layer = Connectivity((channels, size, size), (outputs, 1, 1), taps, taps, (0, channels), (0, outputs))
    with patch.object(fast_products, "FEW_WEIGHTS", few_weights):
        return random_product(layer, binary=True)


def channelwise(channels: int, size: int) -> FastProduct:
    """Every neuron to the one in its place."""
    taps = np.arange(size, dtype=np.int32)[:, None]
    shape = (channels, size, size)
    return random_product(Connectivity(shape, shape, taps, taps, (0, channels), (0, channels), channels), binary=True)


def random_product(connectivity: Connectivity, *, binary: bool) -> FastProduct:
    """The connectivity with random weights of 8 bits."""
    weights = np.random.default_rng(0).integers(-127, 128, connectivity.weight_shape).astype(np.int32)
    return FastProduct(connectivity, weights, 0, binary=binary)


def spikes_at(rate: float, samples: int, channels: int, size: int) -> NDArray[np.int8]:
    """Random spikes, (samples, size, size, channels)."""
    random = np.random.default_rng(1)
    return (random.random((samples, size, size, channels), dtype=np.float32) < rate).astype(np.int8)


class EventTimes:
    """Times of adding spikes one by one, and the two constants that fit them."""

    def __init__(self) -> None:
        self._fan_outs: list[float] = []
        self._nanoseconds: list[float] = []

    def cells(self, product: FastProduct, samples: int, channels: int, size: int, dense: float) -> list[str]:
        """Cells of a table from the time at each rate on, beside a dense kernel of so many milliseconds."""
        adding = []
        for rate in RATES:
            spikes = spikes_at(rate, samples, channels, size)
            adding.append(milliseconds(partial(product.add, spikes)))
            if product.fan_out * channels * size * size < LARGEST_FITTED:
                self._fan_outs.append(product.fan_out)
                self._nanoseconds.append(adding[-1] * 1e6 / max(1, np.count_nonzero(spikes)))
        rule = product.break_even_events(samples) / (samples * size * size * channels)
        return [*(f"{one:.3f}" for one in adding), _crossing(dense, adding), f"{rule:.4f}"]

    def fitted(self) -> tuple[float, float]:
        """Nanoseconds of an event and of each of its additions, of least relative error."""
        addition, event = np.polyfit(self._fan_outs, self._nanoseconds, 1, w=1 / np.array(self._nanoseconds))
        return float(event), float(addition)


def _crossing(dense: float, adding: list[float]) -> str:
    """The rate at which adding takes as long as the dense kernel."""
    if dense <= adding[0]:
        return f"less than {RATES[0]}"
    if dense >= adding[-1]:
        return f"more than {RATES[-1]}"
    return f"{np.exp(np.interp(np.log(dense), np.log(adding), np.log(RATES))):.3f}"


def print_convolutions(events: EventTimes) -> None:
    """The first table."""
    layers = [(channels, size, convolution(channels, size)) for channels, size in SHAPES]
    layers += [(64, 8, convolution(64, 8, binary=False)), (256, 4, convolution(256, 4, binary=False))]
    layers += [(64, 8, convolution(64, 8, mirrored=True)), (256, 4, convolution(256, 4, mirrored=True))]
    layers += [(64, 8, channelwise(64, 8))]
    print_row(HEADINGS)
    print_row(["---"] * len(HEADINGS))
    for channels, size, product in layers:
        dense = milliseconds(partial(product.multiply, spikes_at(0.5, STEPS, channels, size)))
        cells = [f"{channels} x {size} x {size}", product.dense_kernel_name, f"{dense * 1e6 / product.macs(STEPS):.4f}"]
        print_row([*cells, f"{dense:.2f}", *events.cells(product, STEPS, channels, size, dense)])


def print_dense_layers(events: EventTimes) -> None:
    """The second table, and the constants of the two dense kernels."""
    times: dict[str, list[tuple[float, int]]] = {kind: [] for kind in FEW_WEIGHTS}
    print()
    print_row(DENSE_HEADINGS)
    print_row(["---"] * len(DENSE_HEADINGS))
    for channels, size, outputs in DENSE_LAYERS:
        products = {kind: dense_layer(channels, size, outputs, few_weights=few) for kind, few in FEW_WEIGHTS.items()}
        weights = channels * size * size * outputs
        taken = "float32" if weights < fast_products.FEW_WEIGHTS else "8 bits"
        for images in IMAGES:
            samples = images * STEPS
            spikes = spikes_at(0.5, samples, channels, size)
            dense = {kind: milliseconds(partial(product.multiply, spikes)) for kind, product in products.items()}
            cells = [f"{channels} x {size} x {size} to {outputs}", f"{weights:,}", f"{images}"]
            for kind, one in dense.items():
                nanoseconds = one * 1e6 / (samples * weights)
                cells += [f"{one:.3f}", f"{nanoseconds:.4f}"]
                if images == max(IMAGES):
                    times[kind].append((nanoseconds, outputs))
            print_row([*cells, taken, *events.cells(products[taken], samples, channels, size, dense[taken])])
    print()
    for kind, measured in times.items():
        nanoseconds_of, outputs_of = np.array(measured).T
        of_input, of_mac = np.polyfit(1 / outputs_of, nanoseconds_of, 1, w=1 / nanoseconds_of)
        print(f"dense layers in {kind}: {of_mac:.3f} ns a multiply-accumulate and {of_input:.2f} ns an input (fitted)")


def print_row(cells: Iterable[str]) -> None:
    """A line of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    events = EventTimes()
    print_convolutions(events)
    print_dense_layers(events)
    event, addition = events.fitted()
    print(f"adding: {event:.0f} ns an event and {addition:.3f} ns each of its additions (fitted)")


if __name__ == "__main__":
    main()
