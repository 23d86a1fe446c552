"""What `nmdeploy run` prints below its figures: accuracy over time steps, and early exit."""

from __future__ import annotations

from rich.table import Table

from nmdeploy.accuracy_curve import CurvePoint, landmarks
from nmdeploy.cli.console import key_value_table
from nmdeploy.energy.early_exit import EarlyExitSaving


def curve_table(points: list[CurvePoint], *, are_windows: bool) -> Table:
    """Some points of the curve, the last one always.

    Parameters
    ----------
    points : list of CurvePoint
    are_windows : bool
        Whether each point is also what a window of so many steps gives.
    """
    window = points[-1].timesteps
    meaning = (
        "windows of the same network"
        if are_windows
        else f"read out early from a window of {window}; windows of their own: nmdeploy analyze"
    )
    table = Table(title=f"Accuracy over time steps ({meaning})", title_justify="left")
    for heading in ("T", "accuracy", "agreement"):
        table.add_column(heading, justify="right")
    for point in landmarks(points):
        accuracy = "unknown" if point.accuracy is None else f"{point.accuracy:.4f}"
        table.add_row(str(point.timesteps), accuracy, f"{point.agreement:.4f}")
    return table


def early_exit_table(saving: EarlyExitSaving) -> Table:
    """What early exit saves."""
    latency = f"{saving.mean_latency_steps:,.2f} of {saving.whole_latency_steps} ({saving.latency_saved:.1%} saved)"
    energy = f"{saving.energy_pj:,.0f} of {saving.whole_energy_pj:,.0f} ({saving.energy_saved:.1%} saved)"
    spikes = f"{saving.spikes_per_inference:,.1f} of {saving.whole_spikes_per_inference:,.1f}"
    return key_value_table(
        f"Early exit, checked every {saving.check_interval} steps",
        [
            ("decisions", "those of the whole window, each proved final when its sample left"),
            ("left early", f"{saving.left_early} of {saving.samples} samples"),
            ("mean steps", f"{saving.mean_steps:,.2f} of {saving.timesteps}"),
            ("mean latency_steps", latency),
            ("spikes_per_inference", spikes),
            (f"energy pJ (estimate, preset {saving.preset})", energy),
            ("which leaves out", saving.left_out),
        ],
    )
