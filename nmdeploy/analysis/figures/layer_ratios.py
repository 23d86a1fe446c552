"""Signal-to-noise ratio of every population beside its ideal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.svg import GUIDE, NEGATIVE, POSITIVE, THIRD, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT = 3.2


def layer_ratios_svg(analysis: Analysis) -> str:
    """What is reached, what the layer would reach by itself, and what rounding alone would leave."""
    rows = analysis.layers.rows
    series = (
        ("ideal: rounding and clipping alone", [row.ideal_snr_db for row in rows], GUIDE, "_"),
        ("the layer by itself", [row.own_snr_db for row in rows], THIRD, "^"),
        ("reached", [row.snr_db for row in rows], POSITIVE, "o"),
    )

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        names = [row.name for row in rows]
        worst = analysis.layers.furthest_below_ideal
        if worst is not None:
            place = names.index(worst)
            axes.axvspan(place - 0.4, place + 0.4, color=NEGATIVE, alpha=0.15, label="furthest below its ideal")
        for label, ratios, color, marker in series:
            heights = [math.nan if ratio is None else ratio for ratio in ratios]
            axes.plot(range(len(rows)), heights, marker, color=color, markersize=5, label=label)
        axes.set_xticks(range(len(rows)), names, rotation=90)
        axes.set_xlim(-0.5, len(rows) - 0.5)
        axes.set_ylabel("rates against activations, dB")
        axes.legend(loc="best")

    worst = analysis.layers.furthest_below_ideal
    label = f"Signal-to-noise ratios of {len(rows)} layers beside their ideals; {worst or 'none'} is furthest below"
    return svg("layer-ratios", label, HEIGHT, draw)
