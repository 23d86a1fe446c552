"""Windows of an energy curve."""

from __future__ import annotations

from nmdeploy.analysis.energy_curve import EnergyPoint


def window(timesteps, accuracy, energy_pj, latency_steps, is_pareto, agreement=None):
    return EnergyPoint(timesteps, latency_steps, accuracy, agreement, None, energy_pj, 1.0, is_pareto)
