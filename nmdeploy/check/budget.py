"""Budgets: the most that a mapping may cost, from the command line or a TOML file."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path

from mapping.placement import Placement
from nmdeploy.check.measures import MEANINGS, UTILISATION, Measure
from nmdeploy.check.places import foremost_core
from nmdeploy.errors import NmdeployError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class BudgetVerdict:
    """One budget, and what the mapping has of it.

    Attributes
    ----------
    measure : str
    value, budget : float
    where : str
        Core that has most to do with it, or the network.
    """

    measure: str
    value: float
    budget: float
    where: str

    @property
    def met(self) -> bool:
        """Whether the mapping takes no more than it may."""
        return self.value <= self.budget


def read_budgets(given: list[str]) -> dict[str, float]:
    """Budgets by measure from what stands after ``--budget``.

    Parameters
    ----------
    given : list of str
        ``MEASURE=NUMBER``, or paths of TOML files with a table ``[budget]``; a later one replaces an earlier one.

    Raises
    ------
    NmdeployError
        One is no such thing, names a measure that does not exist, or the file cannot be read.
    """
    budgets: dict[str, float] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if equals:
            budgets |= _budget(name.strip(), value.strip(), f"--budget {text}")
        elif text.endswith(".toml"):
            budgets |= budget_file(Path(text))
        else:
            raise NmdeployError(f"--budget {text}: expected MEASURE=NUMBER, as cores=120, or a .toml file")
    return budgets


def budget_file(path: Path) -> dict[str, float]:
    """Budgets of the table ``[budget]`` of a TOML file; ``[budget.utilisation]`` may name single capacities."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NmdeployError(f"--budget {path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise NmdeployError(f"--budget {path}: not valid TOML: {error}") from error
    table = document.get("budget")
    if not isinstance(table, dict):
        raise NmdeployError(f"--budget {path}: no table [budget]")
    flat: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": of_part for part, of_part in value.items()}
        else:
            flat[name] = value
    budgets: dict[str, float] = {}
    for name, value in flat.items():
        budgets |= _budget(name, str(value), f"--budget {path}: {name}")
    return budgets


def _budget(name: str, value: str, where: str) -> dict[str, float]:
    number = budget_number(value, where)
    if name.startswith(UTILISATION) and number > 1:
        raise NmdeployError(f"{where}: utilisation is a share of a capacity, as 0.8 or 80%, not {value}")
    return {known_measure(name, where): number}


def budget_number(text: str, where: str) -> float:
    """A number of at least 0, or a percentage."""
    try:
        number = float(Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text))
    except (InvalidOperation, ValueError) as error:
        raise NmdeployError(f"{where}: {text!r} is no number") from error
    if not (math.isfinite(number) and number >= 0):
        raise NmdeployError(f"{where}: {text!r} is no number of at least 0")
    return number


def known_measure(name: str, where: str) -> str:
    """The name itself if it is that of a measure.

    Raises
    ------
    NmdeployError
        It is not; names the nearest ones.
    """
    if name in MEANINGS:
        return name
    nearest = get_close_matches(name, MEANINGS, n=2) or MEANINGS
    raise NmdeployError(f"{where}: unknown measure {name!r}; did you mean {' or '.join(nearest)}?")


def judge_budgets(budgets: dict[str, float], found: dict[str, Measure], placement: Placement) -> list[BudgetVerdict]:
    """Compare a mapping with its budgets.

    Parameters
    ----------
    budgets : dict of str to float
    found : dict of str to Measure
    placement : Placement
        That of the measures.

    Raises
    ------
    NmdeployError
        A budget is of a capacity that the chip does not limit.
    """
    verdicts = []
    for name, budget in budgets.items():
        if name not in found:
            limited = ", ".join(known for known in found if "." in known)
            raise NmdeployError(f"--budget {name}: the target has no such limit; it has {limited}")
        measure = found[name]
        verdicts.append(BudgetVerdict(name, measure.value, budget, foremost_core(measure.by_core, placement)))
    return verdicts
