"""A published energy claim taken apart: one step for each assumption and each product of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hw_profiles.quantities import Status
from nmdeploy.energy.tiny_yolo import ConvolutionMacs

ARITHMETIC = "arithmetic on the other steps"


@dataclass(frozen=True)
class PaperStep:
    """One assumption, or what follows from earlier ones.

    Attributes
    ----------
    name : str
        Key for scripts, with the unit.
    assumption : str
        In words.
    formula : str
        The arithmetic with its numbers; "" for a figure that is given.
    value : float
    unit : str
        "" for a ratio.
    status : {"published", "derived", "assumed"}
    source : str
        Where the figure or the formula is from.
    problem : str
        What is wrong with it; "" if nothing is.
    """

    name: str
    assumption: str
    formula: str
    value: float
    unit: str
    status: Status
    source: str
    problem: str = ""


def derived_step(
    name: str, assumption: str, formula: str, value: float, unit: str, problem: str = "", source: str = ARITHMETIC
) -> PaperStep:
    """A step that follows from others, or from the network."""
    return PaperStep(name, assumption, formula, value, unit, "derived", source, problem)


@dataclass(frozen=True)
class PaperSection:
    """Steps that lead to one claim, or to what stands in its place."""

    title: str
    steps: tuple[PaperStep, ...]


@dataclass(frozen=True)
class PaperAudit:
    """The whole audit.

    Attributes
    ----------
    paper : str
        Reference.
    network : str
        What the counts are of.
    convolutions : tuple of ConvolutionMacs
    sections : tuple of PaperSection
    conclusions : tuple of str
        Sentences with the figures of the steps in them.
    """

    paper: str
    network: str
    convolutions: tuple[ConvolutionMacs, ...]
    sections: tuple[PaperSection, ...]
    conclusions: tuple[str, ...]

    @property
    def steps(self) -> dict[str, PaperStep]:
        """All steps by name."""
        return {step.name: step for section in self.sections for step in section.steps}

    @property
    def sources(self) -> tuple[str, ...]:
        """Each source once, in order of appearance."""
        return tuple(dict.fromkeys(step.source for step in self.steps.values()))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
