"""Networks built from recipes and judged on held-out samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search.build import Built, build, compensate
from nmdeploy.search.judge import Judgement, judge
from nmdeploy.search.recipe import Compensation, Recipe
from nmdeploy.spiking.evaluate import evaluate


@dataclass(frozen=True)
class Trial:
    """A network and how it does."""

    built: Built
    judgement: Judgement


@dataclass(frozen=True)
class Trials:
    """What all trials of a search share.

    Attributes
    ----------
    converted : Converted
        With the neuron kinds of the recipes.
    calibration : Calibration
    profile : MeshProfile
    options : QuantizationOptions
        What a recipe decides is replaced.
    """

    converted: Converted
    calibration: Calibration
    profile: MeshProfile
    options: QuantizationOptions

    @cached_property
    def reference(self) -> NDArray[np.float32]:
        """Outputs of the float network on the held-out samples, (samples, outputs)."""
        return evaluate(self.converted.network, self.calibration.held_out)

    def attempt(self, recipe: Recipe, samples: int | None = None) -> Trial:
        """Build without compensation and judge, on the first held-out samples if a number is given.

        Raises
        ------
        QuantizationError
            The target cannot hold the network so.
        """
        return self.judged(build(self.converted, recipe, self.calibration, self.profile, self.options), samples)

    def compensated(self, trial: Trial, compensation: Compensation) -> Trial:
        """A trial's network with its errors compensated."""
        return self.judged(compensate(trial.built, compensation, self.calibration, self.profile))

    def judged(self, built: Built, samples: int | None = None) -> Trial:
        """Judge a network."""
        return Trial(built, judge(built.network, self.calibration.held_out[:samples], self.reference[:samples]))

    def operations(self, samples: int) -> int:
        """Synaptic operations, at most, of simulating so many samples once."""
        synapses = sum(projection.connectivity.synapse_count for projection in self.converted.network.projections)
        return samples * self.options.timesteps * synapses
