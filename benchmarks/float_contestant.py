"""The dense arithmetic bound: ``python -m benchmarks.float_contestant CASE_FOLDER``, see `benchmarks.serve`.

T inferences of the user's own float network in torch for every image: BatchNorm folded, evaluated eagerly in inference
mode. ``{"batch": B, "screen": true}`` tries both memory layouts and several numbers of images at a time, from T calls
of B images to one call of many, and keeps the fastest. ``{"batch": B}`` times those again and scales the fastest to
T x B inferences.
"""

import copy
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.float_module import folded, load_module
from benchmarks.serve import serve

CHUNKS = (1, 8, 16, 32, 64, 128, 512)
KEPT = 3
SCREEN_SECONDS = 0.1
RUN_SECONDS = 0.4


@dataclass(frozen=True)
class Mode:
    """A memory layout and a number of images at a time."""

    layout: str
    chunk: int
    module: nn.Module
    images: Tensor

    @property
    def name(self) -> str:
        return f"{self.chunk} at a time, {self.layout}"


class FloatBound:
    """The float network in all its modes.

    Parameters
    ----------
    module : nn.Module
        BatchNorm folded.
    images : float tensor, (samples, channels, rows, columns)
    timesteps : int
    """

    def __init__(self, module: nn.Module, images: Tensor, timesteps: int) -> None:
        self._timesteps = timesteps
        last = copy.deepcopy(module).to(memory_format=torch.channels_last)
        self._layouts = (
            ("contiguous", module, images.contiguous()),
            ("channels last", last, images.contiguous(memory_format=torch.channels_last)),
        )
        self._kept: dict[int, list[Mode]] = {}

    def modes(self, batch: int) -> list[Mode]:
        """All that is tried: no more images at a time than T x batch, and `batch` itself."""
        chunks = sorted({chunk for chunk in (*CHUNKS, batch) if chunk <= batch * self._timesteps})
        found = []
        for layout, module, images in self._layouts:
            for chunk in chunks:
                repeated = images.repeat(-(-chunk // len(images)), 1, 1, 1)[:chunk]
                form = torch.channels_last if layout == "channels last" else torch.contiguous_format
                found.append(Mode(layout, chunk, module, repeated.contiguous(memory_format=form)))
        return found

    def screen(self, batch: int) -> dict[str, float]:
        """Milliseconds per image of each mode; the fastest are kept for `run`."""
        found = self.modes(batch)
        times = [seconds_per_image(mode, SCREEN_SECONDS) for mode in found]
        order = sorted(range(len(found)), key=lambda index: times[index])
        self._kept[batch] = [found[index] for index in order[:KEPT]]
        return {mode.name: seconds * 1e3 for mode, seconds in zip(found, times, strict=True)}

    def run(self, batch: int) -> dict[str, Any]:
        """Seconds of T x batch inferences in the fastest mode."""
        times = {mode.name: seconds_per_image(mode, RUN_SECONDS) for mode in self._kept[batch]}
        name = min(times, key=lambda mode: times[mode])
        return {"seconds": times[name] * batch * self._timesteps, "mode": f"{name}, torch {torch.__version__}"}


@torch.inference_mode()
def seconds_per_image(mode: Mode, at_least_seconds: float) -> float:
    """Fastest call, of as many as fill a time, after one that is not counted."""
    mode.module(mode.images)
    times: list[float] = []
    while sum(times) < at_least_seconds:
        begin = time.perf_counter()
        mode.module(mode.images)
        times.append(time.perf_counter() - begin)
    return min(times) / mode.chunk


def main() -> None:
    folder = Path(sys.argv[1])
    with np.load(folder / "samples.npz") as file:
        images = torch.from_numpy(file["samples"])
    timesteps = json.loads((folder / "case.json").read_text())["timesteps"]
    bound = FloatBound(folded(load_module(folder)), images, timesteps)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        return bound.screen(request["batch"]) if request.get("screen") else bound.run(request["batch"])

    serve(answer)


if __name__ == "__main__":
    main()
