"""Activations of channels that are as unlike as those of trained networks."""

from __future__ import annotations

import numpy as np

from nmdeploy.convert.histogram import GrowingHistogram


def drawn_values(count=4000, seed=0):
    """Float32 values (count, 6): half rectified, exponential, of both signs, sparse, constant, silent."""
    random = np.random.default_rng(seed)
    values = np.zeros((count, 6), np.float32)
    values[:, 0] = np.maximum(random.normal(size=count), 0) * 3e-3
    values[:, 1] = random.exponential(size=count) * 40
    values[:, 2] = random.normal(size=count) * np.where(random.random(count) < 0.3, 1.0, 0.1) - 0.2
    values[::97, 3] = random.random(len(values[::97])) + 1.0
    values[:, 4] = 0.7
    return values


def histogram_of(values, batches=1):
    growing = GrowingHistogram(values.shape[1])
    for part in np.array_split(values, min(batches, len(values))):
        growing.add(part)
    return growing.result()
