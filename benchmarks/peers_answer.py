"""What every peer's process does alike: convert as asked, then run images and read the outputs after several windows.

``{"recipe": NAME}`` converts; the reply has how many activations there were and became spiking neurons, or an error.
``{"first": F, "count": N, "windows": [T, ...]}`` runs test images; the reply has the decisions after each window, once
from all outputs and once from those after the delay that the peer recommends, and spikes and neurons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.float_module import load_module
from benchmarks.serve import serve
from benchmarks.spikingjelly_graph import convertible


@dataclass
class Spiking:
    """A converted network.

    Attributes
    ----------
    network : nn.Module
        Called once a step.
    neurons : type
        Of its spiking layers, whose outputs are the spikes.
    reset : callable
        Clears the state between images.
    delay : callable or None
        From the steps of a window to the first one whose output counts.
    """

    network: nn.Module
    neurons: type[nn.Module]
    reset: Callable[[], object]
    delay: Callable[[int], int] | None = None


Recipe = Callable[[nn.Module, Tensor], Spiking]
"""From the float network, with rectifiers as modules, and calibration images."""


def answer_with(folder: Path, recipes: dict[str, Recipe]) -> None:
    """Serve requests until standard input ends."""
    with np.load(folder / "samples.npz") as file:
        images, calibration = torch.from_numpy(file["samples"]), torch.from_numpy(file["calibration"])
    converted: list[Spiking] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if "recipe" not in request:
            batch = images[request["first"] : request["first"] + request["count"]]
            return run(converted[-1], batch, request["windows"])
        module = convertible(load_module(folder))
        rectifiers = sum(type(part) is nn.ReLU for part in module.modules())
        try:
            converted.append(recipes[request["recipe"]](module, calibration))
        except Exception as refusal:  # a peer's refusal is a result, whatever its class
            return {"error": f"{type(refusal).__name__}: {refusal}"}
        spiking = converted[-1]
        layers = sum(isinstance(part, spiking.neurons) for part in spiking.network.modules())
        return {"activations": rectifiers, "spiking": layers}

    serve(answer)


@torch.inference_mode()
def run(spiking: Spiking, images: Tensor, windows: list[int]) -> dict[str, Any]:
    """The reply on some images: one run as long as the longest window, read after each of them."""
    spikes, neurons = 0.0, 0

    def count(_: nn.Module, __: object, output: Tensor) -> None:
        nonlocal spikes, neurons
        spikes += float(output.abs().sum())
        neurons += output[0].numel()

    hooks = [
        part.register_forward_hook(count) for part in spiking.network.modules() if isinstance(part, spiking.neurons)
    ]
    spiking.reset()
    steps = max(windows)
    outputs = torch.stack([spiking.network(images).flatten(1) for _ in range(steps)])
    for hook in hooks:
        hook.remove()
    sums = torch.cat([torch.zeros_like(outputs[:1]), outputs.double().cumsum(0)])
    delays = {"all": {window: 0 for window in windows}}
    if spiking.delay is not None:
        delays["delayed"] = {window: spiking.delay(window) for window in windows}
    return {
        "decisions": {
            name: {window: (sums[window] - sums[start]).argmax(1).tolist() for window, start in starts.items()}
            for name, starts in delays.items()
        },
        "spikes": spikes,
        "neurons": neurons // steps,
    }
