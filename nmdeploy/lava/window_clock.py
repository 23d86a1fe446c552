"""Where in which window a population is at a step of the global clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mapping.step_weights import input_shift


class Position(NamedTuple):
    """Where a population is in one of its windows.

    Attributes
    ----------
    window : int
        Index of the window.
    step : int
        Index of the step in the window, 0 to T + lead - 1.
    takes_input : bool
        Whether input and bias act in this step: in the first T of them.
    firing_step : int or None
        Index of the firing step, 0 to T - 1; None in the `lead` steps before the first.
    """

    window: int
    step: int
    takes_input: bool
    firing_step: int | None


@dataclass(frozen=True)
class FiringStep:
    """A firing step of a window.

    Attributes
    ----------
    index : int
        0 to T - 1.
    timesteps : int
        T.
    refinement_steps : int
        Those at the end of the window, see `mapping.step_weights`.
    """

    index: int
    timesteps: int
    refinement_steps: int = 0

    @property
    def ordinary_steps(self) -> int:
        """Steps of the window before the refinement steps."""
        return self.timesteps - self.refinement_steps

    @property
    def weight_shift(self) -> int:
        """A spike of this step weighs two to the power of this."""
        return input_shift(self.index, self.timesteps, self.refinement_steps)


@dataclass(frozen=True)
class WindowClock:
    """Windows of equal length at equal distance, the first of which starts at a step of its own.

    Attributes
    ----------
    start_step : int
        Global step, counted from 0, at which the first window starts.
    timesteps : int
        T: the steps of a window in which input is taken in, and as many firing steps.
    windows : int or None
        Number of windows; None for no end.
    gap_steps : int
        Steps between the T steps of two windows.
    lead : int
        Steps by which the first firing step comes after the first step of the window.
    refinement_steps : int
        Of the T steps, those at the end that weigh less, see `mapping.step_weights`.

    Raises
    ------
    ValueError
        The gap is shorter than the lead, so that windows would overlap.
    """

    start_step: int
    timesteps: int
    windows: int | None
    gap_steps: int = 0
    lead: int = 0
    refinement_steps: int = 0

    def __post_init__(self) -> None:
        if self.gap_steps < self.lead:
            raise ValueError(f"a lead of {self.lead} steps needs as many between windows, not {self.gap_steps}")

    @property
    def period_steps(self) -> int:
        """Steps from the start of one window to the start of the next."""
        return self.timesteps + self.gap_steps

    @property
    def firing_start_step(self) -> int:
        """Global step, counted from 0, of the first firing step of the first window."""
        return self.start_step + self.lead

    def input_shift(self, step: int) -> int:
        """Shift to the left of what is taken in during a step of the window, 0 to T - 1."""
        return input_shift(step, self.timesteps, self.refinement_steps)

    def firing(self, index: int) -> FiringStep:
        """The firing step of this index."""
        return FiringStep(index, self.timesteps, self.refinement_steps)

    def position(self, time_step: int) -> Position | None:
        """Where the population is, or None outside of all windows.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        """
        elapsed = time_step - 1 - self.start_step
        window, step = divmod(elapsed, self.period_steps)
        busy = step < self.timesteps + self.lead
        if elapsed < 0 or not busy or (self.windows is not None and window >= self.windows):
            return None
        return Position(window, step, step < self.timesteps, step - self.lead if step >= self.lead else None)

    def end_step(self, windows: int) -> int:
        """Global step, counted from 0, at which the given number of windows have ended."""
        return self.firing_start_step + windows * self.period_steps - self.gap_steps
