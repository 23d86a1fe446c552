"""Windows of an energy curve."""

from __future__ import annotations

from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.energy_document import EnergyWindows


def window(timesteps, accuracy, energy_pj, latency_steps, is_pareto, agreement=None):
    return EnergyPoint(timesteps, latency_steps, accuracy, agreement, None, energy_pj, 1.0, is_pareto)


def windows_of(points):
    return EnergyWindows(tuple(points), "loihi-sanafe", "all else", "dense", "cached", 7, "test.npz")
