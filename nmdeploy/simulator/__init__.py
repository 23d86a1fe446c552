"""The integer simulator: the semantics of `mapping.network`, computed population by population."""

from nmdeploy.simulator.simulate import Simulator, simulate
from nmdeploy.simulator.window import SimulationResult

__all__ = ["SimulationResult", "Simulator", "simulate"]
