"""All parts of the analysis of one compiled network on labelled samples."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.step_weights import window_weight
from nmdeploy.analysis.channels import ChannelActivations, ChannelTally
from nmdeploy.analysis.layers import LayerTable, LayerTally
from nmdeploy.analysis.observe import observe
from nmdeploy.analysis.raster import Raster, RasterTally
from nmdeploy.analysis.rates import RateHistogram, RateTally
from nmdeploy.analysis.scores import decides
from nmdeploy.analysis.windows import Expected, WindowCurve, sample_steps, window_curve
from nmdeploy.errors import DataFileError, NmdeployError
from nmdeploy.search.smallest_window import windows as landmark_windows
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import SpikingNetwork

WindowChoice = Literal["every", "landmarks"]
# Opens a bar: from what is counted and how much there is of it, to what is called with the amount just finished.
Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True)
class AnalysisOptions:
    """What the user chooses.

    Attributes
    ----------
    timesteps : int
        T, the longest window.
    windows : {"every", "landmarks"}
        Of the curve: 1, 2, 3, ... T, or 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 and so on, and T.
    sample_neurons : int
        Of the raster; 0 or more.
    seed : int
        Of their choice.
    memory_bytes : int or None
        See `nmdeploy.simulator.simulate`.
    """

    timesteps: int
    windows: WindowChoice = "every"
    sample_neurons: int = 20
    seed: int = 0
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Analysis:
    """What is known of a network after its analysis.

    Attributes
    ----------
    samples : int
        All parts are of all of them, but for the raster, which is of the first.
    timesteps : int
        T.
    levels : int
        The largest count of a neuron: T, or more with refinement steps (`mapping.step_weights`).
    latency_steps, steps_per_sample : int
        Of windows of T; see `nmdeploy.analysis.windows.WindowPoint`.
    accuracy, agreement, error : float or None
        Of windows of T; see `nmdeploy.analysis.scores.Score`.
    float_accuracy : float or None
        Of the float network; None without labels, or where outputs decide nothing.
    spikes_per_inference : float
        Spikes of both signs of all populations.
    saturations : int
        How often a potential was cut off, over all samples.
    curve : WindowCurve
    layers : LayerTable
    rates : tuple of RateHistogram
    channels : tuple of ChannelActivations
    raster : Raster
    """

    samples: int
    timesteps: int
    levels: int
    latency_steps: int
    steps_per_sample: int
    accuracy: float | None
    float_accuracy: float | None
    agreement: float | None
    error: float | None
    spikes_per_inference: float
    saturations: int
    curve: WindowCurve
    layers: LayerTable
    rates: tuple[RateHistogram, ...]
    channels: tuple[ChannelActivations, ...]
    raster: Raster


def analyze(
    network: ChipNetwork,
    float_network: SpikingNetwork,
    samples: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    options: AnalysisOptions,
    watch: Watch,
) -> Analysis:
    """Run the samples, for the curve once or once a window, and once more population by population.

    Parameters
    ----------
    network : ChipNetwork
    float_network : SpikingNetwork
        The one that `network` was quantised from.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed; at least one.
    labels : int64 array, (samples,), or None
    options : AnalysisOptions
    watch : callable

    Raises
    ------
    DataFileError
        A label is of no output.
    NmdeployError
        The network has cycles; or see `nmdeploy.simulator.simulate`.
    """
    _check_feed_forward(network)
    if decides(network):
        _check_labels(labels, network.outputs[0].neuron_count)
    else:
        labels = None
    with watch("float network", len(samples)) as progress:
        reference = evaluate(float_network, samples, progress)
    steps = options.timesteps
    windows = list(range(1, steps + 1)) if options.windows == "every" else landmark_windows(steps)
    with watch("windows, sample steps", sample_steps(network, len(samples), windows)) as progress:
        curve = window_curve(
            network,
            Expected(samples, reference, labels),
            windows,
            memory_bytes=options.memory_bytes,
            progress=progress,
        )
    layers, rates, channels, raster = (
        LayerTally(network),
        RateTally(network, steps),
        ChannelTally(network),
        RasterTally(network, options.sample_neurons, options.seed),
    )
    saturations = 0
    with watch("layers", len(samples)) as progress:
        for observed in observe(network, float_network, samples, steps, progress):
            for tally in (layers, rates, channels, raster):
                tally.add(observed)
            saturations += observed.saturations
    whole, table = curve.points[-1], layers.result()
    return Analysis(
        samples=len(samples),
        timesteps=steps,
        levels=window_weight(steps, network.refinement_steps),
        latency_steps=whole.latency_steps,
        steps_per_sample=whole.steps_per_sample,
        accuracy=whole.window.accuracy,
        float_accuracy=None if labels is None else float((reference.argmax(axis=1) == labels).mean()),
        agreement=whole.window.agreement,
        error=whole.window.error,
        spikes_per_inference=sum(row.spikes for row in table.rows),
        saturations=saturations,
        curve=curve,
        layers=table,
        rates=rates.result(),
        channels=channels.result(),
        raster=raster.result(),
    )


def _check_feed_forward(network: ChipNetwork) -> None:
    late = [projection.name for projection in network.projections if network.lag(projection)]
    if late:
        raise NmdeployError(f"layers cannot be analysed one after another: {', '.join(late)} closes a cycle")


def _check_labels(labels: NDArray[np.int64] | None, outputs: int) -> None:
    if labels is not None and not ((labels >= 0) & (labels < outputs)).all():
        wrong = labels[(labels < 0) | (labels >= outputs)][0]
        raise DataFileError(f"y holds the label {wrong}; the network has {outputs} outputs, 0 to {outputs - 1}")
