"""SpikingJelly's converted network: ``python -m benchmarks.spikingjelly_contestant CASE_FOLDER``, in its environment.

See `benchmarks.serve`. ``{"batch": B, "screen": true}`` tries its modes (one step at a time as in its examples, or its
multi-step mode; contiguous or channels-last layout) on a few steps; the reply has milliseconds per image and step.
``{"batch": B, "mode": NAME}`` measures one of them. Steps cost the same whatever the activity, so long runs stop early
and are scaled; the reply says after how many steps.
"""

import copy
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import ann2snn, functional
from torch import Tensor, nn

from benchmarks.float_module import load_module
from benchmarks.serve import serve
from benchmarks.spikingjelly_graph import convertible

PERCENTILE = "99.9%"
CALIBRATION_SAMPLES = 100
SCREEN_STEPS = 2
MULTI_STEP_BYTES = 2**30  # of the largest activation over all steps that are computed at once
RUN_SECONDS = 5.0


class ConvertedNetwork:
    """The converted network in all its modes.

    Parameters
    ----------
    network : nn.Module
        As `ann2snn.Converter` made it.
    images : float tensor, (samples, channels, rows, columns)
    timesteps, largest_population : int
    """

    def __init__(self, network: nn.Module, images: Tensor, timesteps: int, largest_population: int) -> None:
        self._timesteps = timesteps
        self._largest = largest_population
        last = copy.deepcopy(network).to(memory_format=torch.channels_last)
        self._layouts = {
            "contiguous": (network.eval(), images.contiguous()),
            "channels last": (last.eval(), images.contiguous(memory_format=torch.channels_last)),
        }

    @property
    def modes(self) -> list[str]:
        return [f"{steps}-step, {layout}" for layout in self._layouts for steps in ("single", "multi")]

    def screen(self, batch: int) -> dict[str, float]:
        """Milliseconds per image and step of every mode."""
        times = {}
        for mode in self.modes:
            self._steps(mode, batch, SCREEN_STEPS, float("inf"))
            seconds, steps, _ = self._steps(mode, batch, 2 * SCREEN_STEPS, float("inf"))
            times[mode] = seconds / steps / batch * 1e3
        return times

    def run(self, batch: int, mode: str) -> dict[str, Any]:
        """Seconds of T steps of a batch."""
        seconds, steps, outputs = self._steps(mode, batch, self._timesteps, RUN_SECONDS)
        return {
            "seconds": seconds * self._timesteps / steps,
            "mode": f"torch {torch.__version__}",
            "measured_steps": steps,
            "outputs": outputs.flatten(1).argmax(1).tolist() if steps == self._timesteps else None,
        }

    @torch.inference_mode()
    def _steps(self, mode: str, batch: int, timesteps: int, seconds_max: float) -> tuple[float, int, Tensor]:
        """Seconds, steps done and summed outputs; stops when the time is over."""
        steps, layout = mode.split(", ")
        network, images = self._layouts[layout]
        at_once = self._steps_at_once(batch, timesteps) if steps == "multi-step" else 1
        functional.set_step_mode(network, "m" if at_once > 1 else "s")
        functional.reset_net(network)
        total, done = torch.zeros(()), 0
        begin = time.perf_counter()
        while done < timesteps and (done == 0 or time.perf_counter() - begin < seconds_max):
            count = min(at_once, timesteps - done)
            if at_once > 1:
                total = total + network(images[:batch].unsqueeze(0).expand(count, *images[:batch].shape)).sum(0)
            else:
                total = total + network(images[:batch])
            done += count
        return time.perf_counter() - begin, done, total

    def _steps_at_once(self, batch: int, timesteps: int) -> int:
        per_step = self._largest * batch * torch.float32.itemsize
        return max(1, min(timesteps, MULTI_STEP_BYTES // per_step))


def main() -> None:
    folder = Path(sys.argv[1])
    case = json.loads((folder / "case.json").read_text())
    with np.load(folder / "samples.npz") as file:
        images, labels = torch.from_numpy(file["samples"]), file["labels"]
        calibration = torch.from_numpy(file["calibration"][:CALIBRATION_SAMPLES])
    recipe = ann2snn.RateCodingRecipe(dataloader=[calibration], mode=PERCENTILE)
    network = ann2snn.Converter(recipe=recipe).convert(convertible(load_module(folder)))
    converted = ConvertedNetwork(network, images, case["timesteps"], case["largest_population"])

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request.get("screen"):
            return converted.screen(request["batch"])
        reply = converted.run(request["batch"], request["mode"])
        outputs = reply.pop("outputs")
        reply["correct"] = None if outputs is None else int((np.array(outputs) == labels[: len(outputs)]).sum())
        return reply

    serve(answer)


if __name__ == "__main__":
    main()
