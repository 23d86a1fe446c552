"""sinabs' conversions: ``python -m benchmarks.peers_sinabs CASE_FOLDER``, in its environment."""

import sys
from pathlib import Path

import numpy as np
import torch
from sinabs import reset_states
from sinabs.activation import MultiSpike, SingleSpike
from sinabs.from_torch import from_model
from sinabs.layers import IAFSqueeze
from torch import Tensor, nn

from benchmarks.peers_answer import Spiking, answer_with
from benchmarks.peers_recipes import CAPPED, MANY_SPIKES, NORMALISED

PERCENTILE = 99.9


class ScaledRectifier(nn.Module):
    """The same rectifier with a scale of activations in front, undone behind.

    sinabs has one threshold for all layers, and its own normalisation of weights keeps the function of no network with
    biases or shortcuts; this does.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.rectifier = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.rectifier(x / self.scale) * self.scale


def many_spikes(module: nn.Module, _: Tensor) -> Spiking:
    """As it converts by itself: as many spikes a step as the potential holds thresholds."""
    return _converted(module, MultiSpike)


def capped(module: nn.Module, _: Tensor) -> Spiking:
    """One spike a step at most; nothing scaled."""
    return _converted(module, SingleSpike)


@torch.inference_mode()
def normalised(module: nn.Module, calibration: Tensor) -> Spiking:
    """One spike a step at most, in units of the percentile of each layer's activations."""
    scales: dict[str, float] = {}
    rectifiers = {name: part for name, part in module.named_modules() if type(part) is nn.ReLU}
    hooks = [
        part.register_forward_hook(
            lambda _, __, output, name=name: scales.update({name: float(np.percentile(output.numpy(), PERCENTILE))})
        )
        for name, part in rectifiers.items()
    ]
    module(calibration)
    for hook in hooks:
        hook.remove()
    for name in rectifiers:
        parent, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(parent), leaf, ScaledRectifier(scales[name]))
    return _converted(module, SingleSpike)


def _converted(module: nn.Module, spikes: type) -> Spiking:
    network = from_model(module, spike_fn=spikes, num_timesteps=1).spiking_model
    return Spiking(network, IAFSqueeze, lambda: reset_states(network))


if __name__ == "__main__":
    answer_with(Path(sys.argv[1]), {MANY_SPIKES: many_spikes, CAPPED: capped, NORMALISED: normalised})
