"""The integer simulator: the semantics of `mapping.network`, computed population by population."""

from nmdeploy.simulator.simulate import SimulationResult, simulate

__all__ = ["SimulationResult", "simulate"]
