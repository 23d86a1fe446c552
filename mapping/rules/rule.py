"""What a rule of the verifier is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from mapping.violation import Violation

Judged = TypeVar("Judged", contravariant=True)
"""What a rule looks at, as `mapping.rules.evidence.Evidence`."""


@dataclass(frozen=True)
class Rule(Generic[Judged]):
    """One rule that every placed network must keep.

    Attributes
    ----------
    code : str
        Stable, ``NMD`` and three digits: 1xx placement, 2xx capacities, 3xx number formats, 4xx network,
        8xx crossbars.
    title : str
        A few words.
    explanation : str
        What is required, and why.
    check : callable
        Takes the evidence and yields every violation.
    figures : tuple of str
        Fields of the profile that the rule compares with, as ``core_limits.input_axons``: each has its own source.
    source : str
        Where the rule itself comes from, if not from figures of the chip.
    remedy : str
        What the user can do in general; a violation says it for its place.
    """

    code: str
    title: str
    explanation: str
    check: Callable[[Judged], Iterator[Violation]]
    figures: tuple[str, ...] = ()
    source: str = ""
    remedy: str = ""


def broken(
    code: str, where: str, message: str, remedy: str, demand: int | None = None, capacity: int | None = None
) -> Violation:
    """An error of a rule; `demand` and `capacity` only where the one must not be above the other."""
    return Violation(code, "error", where, message, demand, capacity, remedy)
