"""How tables and pages write the figures of an analysis."""

from __future__ import annotations

UNKNOWN = "-"


def share(value: float | None) -> str:
    """A share, rate or relative error, to four places."""
    return UNKNOWN if value is None else f"{value:.4f}"


def percent(value: float | None) -> str:
    """A share in per cent."""
    return UNKNOWN if value is None else f"{value:.2%}"


def decibels(value: float | None) -> str:
    """To a tenth of a dB, never as -0.0."""
    return UNKNOWN if value is None else f"{round(value, 1) + 0.0:.1f}"


def ratio(value: float | None, relative_error: float | None) -> str:
    """A signal-to-noise ratio, which is not finite where there is no error."""
    return "exact" if relative_error == 0 else decibels(value)
