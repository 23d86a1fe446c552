"""Spikes of sampled neurons on the chip's clock (Spiking-YOLO's fifth figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.svg import GROUND, NEGATIVE, POSITIVE, svg
from nmdeploy.analysis.raster import NeuronSpikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_HEIGHT = 0.17
MARGIN = 0.8
# Beyond, a row is too thin for its neuron's name.
MOST_NAMES = 120
MOST_INCHES = 30.0


def spike_raster_svg(analysis: Analysis) -> str:
    """A row a neuron, on the ground of the steps in which it can spike."""
    neurons, timesteps = analysis.raster.neurons, analysis.raster.timesteps

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        rows = range(len(neurons))
        axes.barh(rows, timesteps, left=[neuron.first_step - 0.5 for neuron in neurons], color=GROUND, height=0.9)
        for sign, color in ((1, POSITIVE), (-1, NEGATIVE)):
            places = [(step, row) for row in rows for step in _steps(neurons[row], sign)]
            steps, centres = [step for step, _ in places], [row for _, row in places]
            ends = [centre - 0.4 for centre in centres], [centre + 0.4 for centre in centres]
            axes.vlines(steps, *ends, colors=color, linewidths=1.0)
        if len(neurons) <= MOST_NAMES:
            axes.set_yticks(rows, [_name(neuron) for neuron in neurons])
        axes.set_ylim(len(neurons) - 0.5, -0.5)
        axes.set_xlabel("time step of the chip")

    spikes = sum(len(neuron.steps) for neuron in neurons)
    label = f"{spikes} spikes of {len(neurons)} neurons over {timesteps} steps each, one row a neuron"
    return svg("spike-raster", label, min(MARGIN + ROW_HEIGHT * len(neurons), MOST_INCHES), draw)


def _steps(neuron: NeuronSpikes, sign: int) -> list[int]:
    return [step for step, sent in zip(neuron.steps, neuron.signs, strict=True) if sent == sign]


def _name(neuron: NeuronSpikes) -> str:
    return f"{neuron.population} ({neuron.channel}, {neuron.row}, {neuron.column})"
