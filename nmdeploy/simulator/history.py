"""The latest spikes of a population, kept as long as a projection has not yet brought them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class History:
    """Spikes by step of the window, as NumPy arrays; an engine with arrays of its own kind overrides the two last.

    Parameters
    ----------
    shape : (int, int, int)
        Rows, columns, channels.
    batch : int
        Samples that run.
    """

    def __init__(self, shape: tuple[int, int, int], batch: int) -> None:
        self._shape = shape
        self._batch = batch
        self._first = 0
        self._train: Any = None

    def append(self, spikes: Any) -> None:
        """Add the spikes of the next steps, (steps, batch, rows, columns, channels)."""
        self._train = spikes if self._train is None else self.concatenate([self._train, spikes])

    def steps(self, start: int, stop: int) -> Any:
        """Spikes of some steps; none before step 0.

        Raises
        ------
        ValueError
            They have not been computed yet.
        """
        if stop == start:
            return self.silence(0)
        before = min(max(-start, 0), stop - start)
        parts = [self.silence(before)] if before else []
        if stop > 0:
            if self._train is None or stop > self._first + len(self._train):
                raise ValueError(f"steps {start}:{stop} have not been computed")
            parts.append(self._train[max(start, 0) - self._first : stop - self._first])
        return parts[0] if len(parts) == 1 else self.concatenate(parts)

    def forget(self, before: int) -> None:
        """Drop the steps before this one."""
        if self._train is None or before <= self._first:
            return
        left = self._train[before - self._first :]
        self._first += len(self._train) - len(left)
        self._train = self.concatenate([left]) if len(left) else None

    def keep(self, staying: NDArray[np.bool_]) -> None:
        """Go on with some of the samples, (batch,)."""
        self._batch = int(np.count_nonzero(staying))
        if self._train is not None:
            self._train = self._train[:, np.flatnonzero(staying)]

    def silence(self, steps: int) -> Any:
        """Steps without a spike."""
        return np.zeros((steps, self._batch, *self._shape), dtype=np.int8)

    def concatenate(self, trains: Sequence[Any]) -> Any:
        """Trains one after another, as a copy."""
        return np.concatenate(trains)
