"""When adding spikes one by one beats multiplying all of them: justifies the rule of the compiled simulator.

python -m benchmarks.event_products

On one core, for layers of several widths and kernels and 64 steps: time of the dense kernel and of the event kernel
over firing rates, the rate below which the events win, and the rate at which the rule of
`nmdeploy.simulator.fast_products` changes over. Then the constants of the rule, fitted to these times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator.fast_products import FastProduct

STEPS = 64
REPEATS = 15
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
SHAPES = ((16, 32), (32, 16), (64, 8), (128, 8), (256, 4), (512, 4), (512, 2))
TIMES = tuple(f"events at {rate}" for rate in RATES)
HEADINGS = ("layer", "kernel", "ns a MAC", "dense ms", *TIMES, "events win below", "rule")


def milliseconds(work: Callable[[], object]) -> float:
    """Time of the fastest of several runs, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3


def convolution(channels: int, size: int, *, binary: bool = True, mirrored: bool = False) -> FastProduct:
    """A 3x3 convolution; mirrored, its rows are in an order that no library's convolution has."""
    taps = tap_table(size, size, 3, 1, 1, 1)
    shape = (channels, size, size)
    rows = taps[::-1] if mirrored else taps
    return random_product(Connectivity(shape, shape, rows, taps, (0, channels), (0, channels)), binary=binary)


def dense_layer(channels: int) -> FastProduct:
    """Every neuron to every neuron."""
    one = np.zeros((1, 1), dtype=np.int32)
    shape = (channels, 1, 1)
    return random_product(Connectivity(shape, shape, one, one, (0, channels), (0, channels)), binary=True)


def channelwise(channels: int, size: int) -> FastProduct:
    """Every neuron to the one in its place."""
    taps = np.arange(size, dtype=np.int32)[:, None]
    shape = (channels, size, size)
    return random_product(Connectivity(shape, shape, taps, taps, (0, channels), (0, channels), channels), binary=True)


def random_product(connectivity: Connectivity, *, binary: bool) -> FastProduct:
    """The connectivity with random weights of 8 bits."""
    weights = np.random.default_rng(0).integers(-127, 128, connectivity.weight_shape).astype(np.int32)
    return FastProduct(connectivity, weights, 0, binary=binary)


def spikes_at(rate: float, channels: int, size: int) -> NDArray[np.int8]:
    """Random spikes, (steps, size, size, channels)."""
    random = np.random.default_rng(1)
    return (random.random((STEPS, size, size, channels)) < rate).astype(np.int8)


def main() -> None:
    torch.set_num_threads(1)
    layers = [(channels, size, convolution(channels, size)) for channels, size in SHAPES]
    layers += [(64, 8, convolution(64, 8, binary=False)), (256, 4, convolution(256, 4, binary=False))]
    layers += [(64, 8, convolution(64, 8, mirrored=True)), (256, 4, convolution(256, 4, mirrored=True))]
    layers += [(64, 8, channelwise(64, 8)), (512, 1, dense_layer(512)), (4096, 1, dense_layer(4096))]
    print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
    fan_outs, event_times = [], []
    for channels, size, product in layers:
        dense = milliseconds(partial(product.multiply, spikes_at(0.5, channels, size)))
        adding = []
        for rate in RATES:
            spikes = spikes_at(rate, channels, size)
            adding.append(milliseconds(partial(product.add, spikes)))
            fan_outs.append(product.fan_out)
            event_times.append(adding[-1] * 1e6 / max(1, np.count_nonzero(spikes)))
        win = np.exp(np.interp(np.log(dense), np.log(adding), np.log(RATES)))
        rule = product.break_even_events(STEPS) / (STEPS * size * size * channels)
        cells = [f"{channels} x {size} x {size}", product.dense_kernel_name, f"{dense * 1e6 / product.macs(STEPS):.4f}"]
        cells += [f"{dense:.2f}", *(f"{one:.2f}" for one in adding), f"{win:.3f}", f"{rule:.3f}"]
        print(f"| {' | '.join(cells)} |")
    addition, event = np.polyfit(fan_outs, event_times, 1)
    print(f"\nan event {event:.0f} ns, each of its additions {addition:.3f} ns (fitted)")


if __name__ == "__main__":
    main()
