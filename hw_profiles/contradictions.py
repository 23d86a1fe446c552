"""Values of a profile that are each allowed, but not together."""

from __future__ import annotations

from collections.abc import Iterable

Contradiction = tuple[str, str]
"""Key of the profile, with dots, and what is wrong with its value beside others."""


class ContradictionError(ValueError):
    """Raised by the validators of a profile.

    Attributes
    ----------
    contradictions : tuple of Contradiction
        At least one.
    """

    def __init__(self, contradictions: list[Contradiction]) -> None:
        self.contradictions = tuple(contradictions)
        super().__init__("; ".join(f"{key}: {message}" for key, message in contradictions))


def refuse(contradictions: Iterable[Contradiction]) -> None:
    """Raise `ContradictionError` if there are any."""
    found = list(contradictions)
    if found:
        raise ContradictionError(found)
