"""What the steps of a window weigh: all alike, but for refinement steps at its end.

With R refinement steps in a window of T, a step i < T - R weighs ``2**R``, and the last R weigh ``2**(R-1)``, ..., 2,
1: whatever a population takes in during step i, and whatever its spike in firing step i takes from the potential and
adds to the count, is shifted to the left by ``input_shift(i)``. So a spike of a refinement step stands for a half, a
quarter, ... of a spike of an ordinary one, and the count at the end of the window has about ``2**R`` times as many
levels. Without refinement steps all weigh 1.
"""

from __future__ import annotations


def input_shift(step: int, timesteps: int, refinement_steps: int) -> int:
    """Shift to the left of a step of the window, 0 <= step < timesteps."""
    return min(refinement_steps, timesteps - 1 - step)


def elapsed_weight(steps: int, timesteps: int, refinement_steps: int) -> int:
    """Sum of the weights of the first steps of a window."""
    return sum(1 << input_shift(step, timesteps, refinement_steps) for step in range(steps))


def window_weight(timesteps: int, refinement_steps: int) -> int:
    """Sum of the weights of all steps of a window: the levels that a count can reach."""
    return elapsed_weight(timesteps, timesteps, refinement_steps)


def levels_from(first_step: int, timesteps: int, refinement_steps: int) -> int:
    """Sum of the weights of the steps of a window from one of them on."""
    return window_weight(timesteps, refinement_steps) - elapsed_weight(first_step, timesteps, refinement_steps)
