"""Where in which window a population is at a step of the global clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowClock:
    """Windows of equal length at equal distance, the first of which starts at a step of its own.

    Attributes
    ----------
    start_step : int
        Global step, counted from 0, at which the first window starts.
    timesteps : int
        Length of a window.
    windows : int or None
        Number of windows; None for no end.
    gap_steps : int
        Idle steps between two windows.
    """

    start_step: int
    timesteps: int
    windows: int | None
    gap_steps: int = 0

    @property
    def period_steps(self) -> int:
        """Steps from the start of one window to the start of the next."""
        return self.timesteps + self.gap_steps

    def position(self, time_step: int) -> tuple[int, int] | None:
        """Window and step in it, or None outside of all windows.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        """
        elapsed = time_step - 1 - self.start_step
        window, step = divmod(elapsed, self.period_steps)
        if elapsed < 0 or step >= self.timesteps or (self.windows is not None and window >= self.windows):
            return None
        return window, step

    def end_step(self, windows: int) -> int:
        """Global step, counted from 0, at which the given number of windows have ended."""
        return self.start_step + windows * self.period_steps - self.gap_steps
