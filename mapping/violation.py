"""A broken rule, as the verifier reports it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Violation:
    """One rule broken at one place.

    Attributes
    ----------
    rule : str
        Stable code, ``NMD`` and three digits.
    severity : {"error", "warning"}
        Warnings do not fail a check.
    where : str
        Core, population or projection.
    message : str
        What is wrong, in words.
    demand, capacity : int or None
        What is needed and what there is, in the unit that the message names; None where the rule has no
        quantity.
    remedy : str
        What the user can do.
    """

    rule: str
    severity: Literal["error", "warning"]
    where: str
    message: str
    demand: int | None
    capacity: int | None
    remedy: str

    def __str__(self) -> str:
        amount = "" if self.demand is None else f" ({self.demand:,} > {self.capacity:,})"
        return f"{self.rule} {self.where}: {self.message}{amount}. {self.remedy}"

    def as_dict(self) -> dict[str, str | int | None]:
        """The fields as a plain dictionary, for JSON."""
        return asdict(self)


class DoesNotFitError(Exception):
    """A network cannot be mapped to a chip; holds every reason found.

    Attributes
    ----------
    violations : tuple of Violation
        At least one.
    """

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(str(violation) for violation in violations))
