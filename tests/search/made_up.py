"""Trials without networks: judgements made up for recipes, to follow what a search makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.errors import QuantizationError
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search.build import Built
from nmdeploy.search.judge import Judgement
from nmdeploy.search.trials import Trial

SAMPLES = 200


def trial(recipe, error, same=SAMPLES, samples=SAMPLES, network=None):
    return Trial(Built(recipe, None, network), Judgement(same, error, np.zeros(samples, np.int64), {}))


class MadeUpTrials:
    """Stands in for `nmdeploy.search.trials.Trials`.

    `judgements` are keyed by what `part` takes from a recipe: an error, or an error and the number of decisions kept;
    recipes that are not among them are beyond the chip.
    """

    def __init__(self, part, judgements, *, timesteps=8, samples=SAMPLES):
        self._part, self._judgements, self._samples = part, judgements, samples
        self.options = QuantizationOptions(timesteps)
        self.attempted = []

    def attempt(self, recipe, samples=None):
        key = self._part(recipe)
        self.attempted.append(key)
        if key not in self._judgements:
            raise QuantizationError("beyond the chip")
        found = self._judgements[key]
        error, same = found if isinstance(found, tuple) else (found, self._samples)
        return trial(recipe, error, same, self._samples)

    def compensated(self, trial, compensation):
        return self.attempt(replace(trial.built.recipe, compensation=compensation))
