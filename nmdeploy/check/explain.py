"""`nmdeploy check --explain NMD204`: what a rule checks, why, where it comes from, and what to do."""

from __future__ import annotations

import textwrap
from difflib import get_close_matches

from hw_profiles import ChipProfile, available_targets, load_target
from hw_profiles.quantities import Choice, Flag, NeuronModels, Quantity, ResetModes
from nmdeploy.check.gate_rules import EXPLAINED
from nmdeploy.errors import NmdeployError

Figure = Quantity | Flag | Choice | NeuronModels | ResetModes
WIDTH = 100


def explain(code: str) -> str:
    """Explain a rule.

    Parameters
    ----------
    code : str
        ``NMD`` and three digits, in any case.

    Returns
    -------
    str
        With the figures of all profiles of the package that the rule compares with, their status and source.

    Raises
    ------
    NmdeployError
        There is no such rule; names the nearest ones.
    """
    rule = EXPLAINED.get(code.upper())
    if rule is None:
        nearest = get_close_matches(code.upper(), EXPLAINED, n=3, cutoff=0.5) or EXPLAINED
        raise NmdeployError(f"--explain {code}: no such rule; the nearest are {', '.join(nearest)}")
    parts = [f"{rule.code}: {rule.title}", _filled(rule.explanation)]
    if rule.source:
        parts.append(_paragraph("Source", rule.source))
    if rule.figures:
        parts.append("\n".join(["Source: the figures of each target.", *_figure_lines(rule.figures)]))
    parts.append(_paragraph("Remedy", rule.remedy))
    return "\n\n".join(parts)


def _paragraph(heading: str, text: str) -> str:
    return _filled(f"{heading}: {text}")


def _filled(text: str, indent: int = 0) -> str:
    """Text in lines, which names and paths with hyphens are not cut by."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * 2 * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _figure_lines(names: tuple[str, ...]) -> list[str]:
    profiles = [load_target(name) for name in available_targets()]
    lines = []
    for name in names:
        lines.append(f"  {name}")
        for profile in profiles:
            if has_figure(profile, name):
                figure = profile_figure(profile, name)
                said = "no such limit" if figure is None else f"{_value(figure)} ({figure.status}: {figure.source})"
                lines.append(_filled(f"{profile.name}: {said}", indent=4))
    return lines


def has_figure(profile: ChipProfile, name: str) -> bool:
    """Whether profiles of this kind may have a figure of this dotted name."""
    value: object = profile
    for part in name.split("."):
        if value is not None and not hasattr(value, part):
            return False
        value = getattr(value, part, None)
    return True


def profile_figure(profile: ChipProfile, name: str) -> Figure | None:
    """A figure by its dotted name, None where the chip has no such thing.

    Raises
    ------
    AttributeError
        Profiles of this kind have no such figure, see `has_figure`.
    """
    value: object = profile
    for part in name.split("."):
        value = getattr(value, part)
        if value is None:
            return None
    assert isinstance(value, Figure)
    return value


def _value(figure: Figure) -> str:
    if isinstance(figure, Flag):
        return "yes" if figure.value else "no"
    if isinstance(figure, Quantity):
        return f"{figure.value:,}"
    return ", ".join(map(str, figure.values if isinstance(figure, Choice) else figure.names))
