"""What `nmdeploy analyze` prints."""

from __future__ import annotations

from rich.table import Table

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.layers import LayerRow, LayerTable
from nmdeploy.analysis.scores import Score
from nmdeploy.analysis.shown import decibels, percent, ratio, share
from nmdeploy.cli.console import key_value_table
from nmdeploy.search.smallest_window import windows as landmark_windows


def summary_table(analysis: Analysis) -> Table:
    """The whole window."""
    return key_value_table(
        "nmdeploy analyze",
        [
            ("samples", str(analysis.samples)),
            ("timesteps", str(analysis.timesteps)),
            ("latency_steps", str(analysis.latency_steps)),
            ("steps_per_sample", str(analysis.steps_per_sample)),
            ("accuracy", share(analysis.accuracy)),
            ("float_accuracy", share(analysis.float_accuracy)),
            ("agreement", share(analysis.agreement)),
            ("error (l2)", share(analysis.error)),
            ("spikes_per_inference", f"{analysis.spikes_per_inference:,.1f}"),
            ("saturations", str(analysis.saturations)),
        ],
    )


def window_table(analysis: Analysis) -> Table:
    """Some points of the curve, the last one always; the rest is in the JSON and on the page."""
    curve = analysis.curve
    decides = analysis.agreement is not None
    shown = ("accuracy", "agreement", "error") if decides else ("error",)
    table = Table(
        title="Over time steps: windows of t steps"
        + ("" if curve.windows_are_prefixes else f"; and windows of {analysis.timesteps} read out after t steps"),
        title_justify="left",
    )
    for heading in ("t", "latency", "steps/sample", *shown):
        table.add_column(heading, justify="right")
    if not curve.windows_are_prefixes:
        for heading in shown:
            table.add_column(f"{heading}\nread out", justify="right")
    landmarks = set(landmark_windows(analysis.timesteps))
    for point in curve.points:
        if point.timesteps not in landmarks:
            continue
        scores = [point.window] if curve.windows_are_prefixes else [point.window, point.read_out]
        steps = (point.timesteps, point.latency_steps, point.steps_per_sample)
        table.add_row(*map(str, steps), *(share(_value(score, name)) for score in scores for name in shown))
    return table


def layer_table(analysis: Analysis) -> Table:
    """A row a population; the layers that lose most are marked."""
    layers = analysis.layers
    table = Table(
        title=f"Layers: rates against activations, dB, on {analysis.samples} samples",
        caption=_explanation(layers, analysis.levels),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("population")
    for heading in ("SNR", "ideal", "drop", "own SNR", "own drop", "clipped", "silent", "cut off", "rate", "spikes"):
        table.add_column(heading, justify="right")
    for row in layers.rows:
        table.add_row(*_cells(row, layers))
    return table


def _cells(row: LayerRow, layers: LayerTable) -> tuple[str, ...]:
    return (
        row.name,
        ratio(row.snr_db, row.relative_error),
        decibels(row.ideal_snr_db),
        decibels(row.drop_db) + (" <<" if row.name == layers.furthest_below_ideal else ""),
        ratio(row.own_snr_db, row.own_relative_error),
        decibels(row.own_drop_db) + (" <" if row.name == layers.loses_most_itself else ""),
        percent(row.clipped),
        percent(row.silent),
        percent(row.saturated),
        share(row.mean_rate),
        f"{row.spikes:,.1f}",
    )


def _explanation(layers: LayerTable, levels: int) -> str:
    """What the columns mean, and which layers are marked."""
    parts = [
        f"ideal: activations only clipped and rounded to {levels} levels. own: against what the float layer makes of "
        "the very rates that come in, so without the errors of earlier layers."
    ]
    if layers.furthest_below_ideal is not None:
        parts.append(f"<< furthest below its ideal: {layers.furthest_below_ideal}.")
    if layers.loses_most_itself is not None:
        parts.append(f"< adds most by itself: {layers.loses_most_itself}.")
    return " ".join(parts)


def _value(score: Score, name: str) -> float | None:
    value: float | None = getattr(score, name)
    return value
