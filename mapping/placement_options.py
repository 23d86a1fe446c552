"""What a user chooses about placement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Objective = Literal["hops", "congestion", "energy"]
Effort = Literal["none", "low", "normal", "high"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
EFFORTS: tuple[Effort, ...] = get_args(Effort)

MOVES_PER_CORE: dict[Effort, int] = {"none": 0, "low": 200, "normal": 2_000, "high": 20_000}
"""Moves that are tried for each core."""

LARGEST_WORK: dict[Effort, int] = {"none": 0, "low": 5 * 10**7, "normal": 5 * 10**8, "high": 5 * 10**9}
"""Most ways between cores that are looked at in all moves: some hundred million take a second or two. Large networks
get fewer moves a core for it."""


@dataclass(frozen=True)
class PlacementOptions:
    """What a placer minimises, how long it tries, and its random numbers.

    Attributes
    ----------
    objective : {"hops", "congestion", "energy"}
        Hops of all messages; load of the busiest link; energy of all hops.
    effort : {"none", "low", "normal", "high"}
        "none" leaves the cores in the order of the network.
    seed : int
    """

    objective: Objective = "hops"
    effort: Effort = "normal"
    seed: int = 0
