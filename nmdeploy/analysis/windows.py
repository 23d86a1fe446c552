"""Accuracy over time: what windows of 1, 2, ... T steps give, and what reading a window of T steps out early gives.

Where the last steps of a window are as all others, a network computes in its first t steps what it would compute in a
window of t (`nmdeploy.accuracy_curve.windows_are_prefixes`): one run gives all points. Paced neurons with a lead catch
up in the last steps, and refinement steps weigh less; there every window is a run of its own, and reading out early is
another thing, which the one run of T steps gives too. All windows are of the same network, compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.accuracy_curve import windows_are_prefixes
from nmdeploy.analysis.scores import Score, Tally
from nmdeploy.decode import decode
from nmdeploy.simulator import Simulator

# What the results of one run may take; the simulator limits what it works with by itself.
RESULT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class WindowPoint:
    """A number of steps.

    Attributes
    ----------
    timesteps : int
        t.
    latency_steps : int
        Steps from a sample's first one to its result, in a window of t as well as when read out after t steps.
    steps_per_sample : int
        Steps after which the next sample may follow, in windows of t: the throughput. Windows that are read out early
        keep their own.
    window : Score
        Of a window of t steps.
    read_out : Score
        Of the potentials after t steps of the longest window.
    """

    timesteps: int
    latency_steps: int
    steps_per_sample: int
    window: Score
    read_out: Score


@dataclass(frozen=True)
class WindowCurve:
    """Scores over the number of steps.

    Attributes
    ----------
    windows_are_prefixes : bool
        Whether `window` and `read_out` of every point are one and the same.
    points : tuple of WindowPoint
        From the shortest window on; the last one is the whole.
    """

    windows_are_prefixes: bool
    points: tuple[WindowPoint, ...]


@dataclass(frozen=True)
class Expected:
    """Samples, and what they should give.

    Attributes
    ----------
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed; at least one.
    reference : float32 array, (samples, outputs)
        Of the float network.
    labels : int64 array, (samples,), or None
    """

    samples: NDArray[np.float32]
    reference: NDArray[np.float32]
    labels: NDArray[np.int64] | None

    def batches(self, size: int) -> Iterator[Expected]:
        """The samples in batches of at most so many."""
        for start in range(0, len(self.samples), size):
            part = slice(start, start + size)
            labels = None if self.labels is None else self.labels[part]
            yield Expected(self.samples[part], self.reference[part], labels)


def window_curve(
    network: ChipNetwork,
    expected: Expected,
    windows: Sequence[int],
    *,
    memory_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> WindowCurve:
    """Score every window.

    Parameters
    ----------
    network : ChipNetwork
        With at least one output.
    expected : Expected
    windows : sequence of int
        Steps, ascending; the last one is the longest.
    memory_bytes : int, optional
        See `nmdeploy.simulator.simulate`.
    progress : callable, optional
        Called with the number of steps x samples just finished, of `sample_steps` in all.
    """
    simulator = Simulator(network)
    # one choice for all runs: many short ones are worth the fast engine as a long one is
    simulator.engine(sample_steps(network, len(expected.samples), windows))
    longest = windows[-1]
    prefixes = windows_are_prefixes(network)

    def run(window: int, read_out: Sequence[int]) -> list[Score]:
        tallies = [Tally(network) for _ in read_out]
        for batch in expected.batches(_batch_size(network, window)):
            finished = None if progress is None else _times(progress, window)
            result = simulator.run(batch.samples, timesteps=window, memory_bytes=memory_bytes, progress=finished)
            for steps, tally in zip(read_out, tallies, strict=True):
                decoded = decode(network, result.potentials[:, :steps], window)
                tally.add(decoded, batch.reference, batch.labels)
        return [tally.score() for tally in tallies]

    early = run(longest, windows)
    alone = early if prefixes else [*(run(window, [window])[0] for window in windows[:-1]), early[-1]]
    depth = network.latency_steps - network.timesteps
    return WindowCurve(
        prefixes,
        tuple(
            WindowPoint(window, window + depth, window + network.gap_steps, *scores)
            for window, *scores in zip(windows, alone, early, strict=True)
        ),
    )


def sample_steps(network: ChipNetwork, samples: int, windows: Sequence[int]) -> int:
    """Steps x samples that `window_curve` runs."""
    return samples * (windows[-1] if windows_are_prefixes(network) else sum(windows))


def _batch_size(network: ChipNetwork, window: int) -> int:
    """Samples whose results fit `RESULT_BYTES`: potentials of the outputs in every step, and spike counts."""
    outputs = sum(population.neuron_count for population in network.outputs)
    neurons = sum(population.neuron_count for population in network.populations)
    per_sample = outputs * window * np.dtype(np.int64).itemsize + neurons * np.dtype(np.int32).itemsize
    return max(1, RESULT_BYTES // per_sample)


def _times(progress: Callable[[int], None], steps: int) -> Callable[[int], None]:
    return lambda samples: progress(samples * steps)
