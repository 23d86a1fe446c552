"""Where in `placement.json` a reader is sent: the line of a core, and the file as a code host knows it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapping.placement import Placement
from mapping.placement_json import FIRST_CORE_LINE
from nmdeploy.artifact.artifact import PLACEMENT_FILE, Artifact

NETWORK = "network"


class Places:
    """Lines of what violations are at.

    A population, a projection (by its target) and a chip are at the first core that holds a part of them; the network,
    and what lies on no core, at the first line.

    Parameters
    ----------
    compiled : Artifact
    """

    def __init__(self, compiled: Artifact) -> None:
        self._lines: dict[str, int] = {}
        of_population: dict[str, int] = {}
        for line, core in enumerate(compiled.placement.cores, start=FIRST_CORE_LINE):
            self._lines.setdefault(f"core {core.address}", line)
            self._lines.setdefault(f"chip {core.address.chip}", line)
            for tile in core.tiles:
                of_population.setdefault(tile.population, line)
                self._lines.setdefault(f"population {tile.population}", line)
        edges = compiled.network.graph.edges(data=True)
        for projection in (data.get("projection") for _, _, data in edges):
            if projection is not None:
                self._lines.setdefault(f"projection {projection.name}", of_population.get(projection.target, 1))
        for given in compiled.network.input_projections:
            for kind in ("projection", "input projection"):
                self._lines.setdefault(f"{kind} {given.name}", of_population.get(given.target, 1))

    def line(self, where: str) -> int:
        """Line, from 1, of `placement.json`, for the `where` of a violation."""
        return self._lines.get(where, 1)


def foremost_core(amounts: NDArray[np.float64], placement: Placement) -> str:
    """The core with the largest amount, as the `where` of a violation; the network if all are alike.

    Parameters
    ----------
    amounts : float64 array, (cores,)
        In order of the placement.
    placement : Placement
    """
    if not len(amounts) or amounts.min() == amounts.max():
        return NETWORK
    return f"core {placement.cores[int(amounts.argmax())].address}"


def placement_path(folder: Path) -> str:
    """Path of an artifact's `placement.json` with forward slashes, relative to the repository where that is known.

    Code hosts find files by their path from the top of the repository: ``$GITHUB_WORKSPACE``, else the working
    directory, where the artifact lies below it; else the path is as it was given.
    """
    path = Path(os.path.abspath(folder / PLACEMENT_FILE))  # without the dots that no code host would resolve
    for top in (os.environ.get("GITHUB_WORKSPACE"), str(Path.cwd())):
        if top and path.is_relative_to(top):
            return path.relative_to(top).as_posix()
    return (folder / PLACEMENT_FILE).as_posix()
