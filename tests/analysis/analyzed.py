"""Analyses of the small networks."""

from contextlib import contextmanager
from functools import cache

import numpy as np
from small_networks import samples_of, small

from nmdeploy.analysis.analyze import AnalysisOptions, analyze


@contextmanager
def unwatched(description, total):
    yield lambda done: None


@cache
def analyzed(kind, samples=9, **options):
    made, given = small(kind), samples_of(samples)
    labels = np.random.default_rng(3).integers(0, 2, samples)
    options = AnalysisOptions(**{"timesteps": 6, "sample_neurons": 5, **options})
    return analyze(made.chip, made.trained, given, labels, options, unwatched)
