"""SpikingJelly's conversions: ``python -m benchmarks.peers_spikingjelly CASE_FOLDER``, in its environment."""

import sys
from pathlib import Path
from typing import Any

import torch
from spikingjelly.activation_based import ann2snn, functional, neuron
from torch import Tensor, nn

from benchmarks.peers_answer import Spiking, answer_with
from benchmarks.peers_recipes import CHANNEL_WISE, LAYER_WISE, LOCAL_BALANCING

PERCENTILE = "99.9%"
BALANCING_BATCH = 16
BALANCING_PASSES = 20
"""Over the calibration images: thresholds grow from 0 a little with every batch."""


def layer_wise(module: nn.Module, calibration: Tensor) -> Spiking:
    """As its examples convert: one threshold a layer, potentials from 0."""
    return _converted(module, calibration, ann2snn.RateCodingRecipe([calibration], mode=PERCENTILE))


def channel_wise(module: nn.Module, calibration: Tensor) -> Spiking:
    """One threshold a channel, potentials from half of it."""
    recipe = ann2snn.RateCodingRecipe([calibration], mode=PERCENTILE, channel_wise=True, half_threshold=True)
    return _converted(module, calibration, recipe)


def local_balancing(module: nn.Module, calibration: Tensor) -> Spiking:
    """Local threshold balancing (Bu et al. 2025), potentials from half the threshold."""
    batches = [*calibration.split(BALANCING_BATCH)] * BALANCING_PASSES
    return _converted(module, calibration, ann2snn.LocalThresholdBalancingRecipe(batches))


def _converted(module: nn.Module, calibration: Tensor, recipe: Any) -> Spiking:
    with torch.inference_mode():
        network = ann2snn.Converter(recipe=recipe).convert(module)
    starts: dict[int, int] = {}

    def delay(window: int) -> int:
        if window not in starts:
            starts[window] = ann2snn.estimate_delay_start(network, [calibration], "cpu", window)
        return starts[window]

    return Spiking(network, neuron.BaseNode, lambda: functional.reset_net(network), delay)


if __name__ == "__main__":
    answer_with(
        Path(sys.argv[1]), {LAYER_WISE: layer_wise, CHANNEL_WISE: channel_wise, LOCAL_BALANCING: local_balancing}
    )
