"""A part of a population's window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.step_weights import input_shift


@dataclass(frozen=True)
class Span:
    """Firing steps of a window that are computed at once, and the steps of input that they need beyond earlier ones.

    Attributes
    ----------
    start, stop : int
        Firing steps ``start <= j < stop``.
    lead : int
        Steps of the window before the first firing step.
    timesteps : int
        T: input is taken in during steps 0 to T - 1.
    refinement_steps : int
        Of the window, see `mapping.step_weights`.
    """

    start: int
    stop: int
    lead: int
    timesteps: int
    refinement_steps: int = 0

    def input_shift(self, index: int) -> int:
        """Shift of an input, counted from the first of this span."""
        return input_shift(self.input_start + index, self.timesteps, self.refinement_steps)

    @property
    def input_shifts(self) -> NDArray[np.int64]:
        """Shifts of all inputs of this span."""
        return np.array([self.input_shift(index) for index in range(self.input_steps)], dtype=np.int64)

    @property
    def steps(self) -> int:
        """Number of firing steps."""
        return self.stop - self.start

    @property
    def input_start(self) -> int:
        """First step of the window whose input is taken in."""
        return min(self.start + self.lead, self.timesteps) if self.start else 0

    @property
    def input_stop(self) -> int:
        """One more than the last such step."""
        return min(self.stop + self.lead, self.timesteps)

    @property
    def input_steps(self) -> int:
        """Number of steps whose input is taken in."""
        return self.input_stop - self.input_start

    def taken_in(self, step: int) -> range:
        """Inputs, counted from the first of this span, taken in before firing step `step` and no earlier one."""
        before = 0 if step == 0 else min(step + self.lead, self.timesteps)
        return range(before - self.input_start, min(step + 1 + self.lead, self.timesteps) - self.input_start)
