"""Channels under layer-wise and channel-wise norms (Spiking-YOLO's first and fourth figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.svg import GUIDE, NEGATIVE, PANEL_HEIGHT, POSITIVE, THIRD, panel_rows, panels, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def channel_maxima_svg(analysis: Analysis) -> str:
    """The largest activation of each channel: a share of the layer's, and of the scale compiled with."""

    def draw(figure: Figure) -> None:
        for axes, channels in zip(panels(figure, _names(analysis)), analysis.channels, strict=True):
            largest = channels.layer_norm.maximum
            _outline(axes, channels.compiled.maximum, THIRD, "as compiled")
            _outline(axes, largest, POSITIVE, "layer norm")
            axes.axhline(sum(largest) / len(largest), color=POSITIVE, linewidth=0.8, linestyle="--", label="its mean")
            axes.axhline(min(largest), color=NEGATIVE, linewidth=0.8, linestyle="--", label="its least")
            axes.axhline(1.0, color=GUIDE, linewidth=0.8, label="channel norm")
        _finish(figure)

    return svg("channel-maxima", _label(analysis, "Largest"), _height(analysis), draw)


def channel_means_svg(analysis: Analysis) -> str:
    """The mean rate to expect of each channel under both norms, and as compiled."""

    def draw(figure: Figure) -> None:
        for axes, channels in zip(panels(figure, _names(analysis)), analysis.channels, strict=True):
            _outline(axes, channels.channel_norm.mean, GUIDE, "channel norm")
            _outline(axes, channels.compiled.mean, THIRD, "as compiled")
            _outline(axes, channels.layer_norm.mean, POSITIVE, "layer norm")
        _finish(figure)

    return svg("channel-means", _label(analysis, "Mean"), _height(analysis), draw)


def _outline(axes: Axes, values: Sequence[float], color: str, label: str) -> None:
    """One step a channel."""
    edges = [channel - 0.5 for channel in range(len(values) + 1)]
    axes.stairs(values, edges, baseline=None, color=color, linewidth=1.0, label=label)


def _finish(figure: Figure) -> None:
    """Panels begin at 0; the legend of the first one is that of all."""
    for axes in figure.axes:
        axes.set_ylim(bottom=0.0)
    if figure.axes:
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)


def _names(analysis: Analysis) -> list[str]:
    return [channels.name for channels in analysis.channels]


def _label(analysis: Analysis, what: str) -> str:
    layers = len(analysis.channels)
    return f"{what} activation of each channel of {layers} layers, under layer-wise and channel-wise norms"


def _height(analysis: Analysis) -> float:
    """With room for the legend."""
    return PANEL_HEIGHT * panel_rows(len(analysis.channels)) + 0.3
