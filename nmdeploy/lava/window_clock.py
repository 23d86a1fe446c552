"""Where in which window a population is at a step of the global clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowClock:
    """Windows of equal length back to back, the first of which starts at a step of its own.

    Attributes
    ----------
    start_step : int
        Global step, counted from 0, at which the first window starts.
    timesteps : int
        Length of a window.
    windows : int
        Number of windows.
    """

    start_step: int
    timesteps: int
    windows: int

    def position(self, time_step: int) -> tuple[int, int] | None:
        """Window and step in it, or None outside of all windows.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        """
        elapsed = time_step - 1 - self.start_step
        if not 0 <= elapsed < self.windows * self.timesteps:
            return None
        return divmod(elapsed, self.timesteps)
