"""The load of each link between routers, on the grid that the chips in use form together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.route_metrics import LinkLoads

# Sizes in SVG units: from router to router, a router's square, the width of a link and its place beside the other one.
PITCH = 12
ROUTER = 4
LINK = 1.5
# A page stays well under 2 MB with so many routers drawn.
ROUTERS_DRAWN = 4096
LINKS_LISTED = 32


@dataclass(frozen=True)
class Bar:
    """A rectangle in SVG units: a link, `share` of the largest load; or a router, with none."""

    x: float
    y: float
    width: float
    height: float
    share: float
    text: str


@dataclass(frozen=True)
class LinkMap:
    """All links and routers, with the loads in words for those who do not see them.

    Attributes
    ----------
    title : str
    scale_end : str
        The load that the darkest colour stands for.
    width, height : int
        In SVG units.
    bars : tuple of Bar
    busiest : tuple of (str, str)
        Links with the largest loads, most first: from where to where, and the messages of an inference.
    links_in_use : int
    """

    title: str
    scale_end: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    busiest: tuple[tuple[str, str], ...]
    links_in_use: int


def link_map(loads: LinkLoads) -> LinkMap | None:
    """Draw the loads; None for a single router, or for more of them than a page can hold.

    Parameters
    ----------
    loads : LinkLoads
        Messages of an inference.
    """
    height, width = loads.east.shape[0], loads.south.shape[1]
    if width * height > ROUTERS_DRAWN or not len(loads.all_links):
        return None
    largest = float(loads.all_links.max())
    idle = int((loads.all_links == 0).sum())
    title = (
        f"link loads: busiest {largest:,.0f} messages an inference, mean {float(loads.all_links.mean()):,.0f}; "
        f"{idle} of {len(loads.all_links)} links idle"
    )
    routers = tuple(
        Bar(x * PITCH, y * PITCH, ROUTER, ROUTER, 0.0, f"router ({x},{y})") for y in range(height) for x in range(width)
    )
    links = tuple(_links(loads, largest))
    busiest = sorted(links, key=lambda link: -link.share)[:LINKS_LISTED]
    return LinkMap(
        title=title,
        scale_end=f"{largest:,.0f} messages an inference",
        width=(width - 1) * PITCH + ROUTER,
        height=(height - 1) * PITCH + ROUTER,
        bars=(*routers, *links),
        busiest=tuple((link.text.split(": ")[0], f"{link.share * largest:,.0f}") for link in busiest),
        links_in_use=len(links),
    )


def _links(loads: LinkLoads, largest: float) -> Iterator[Bar]:
    """All links that are not idle; those ahead and back lie side by side."""
    gap, beside = PITCH - ROUTER, ROUTER - LINK
    yield from _bars(loads.east, largest, (ROUTER, 0.0), (gap, LINK), ((0, 0), (1, 0)))
    yield from _bars(loads.west, largest, (ROUTER, beside), (gap, LINK), ((1, 0), (0, 0)))
    yield from _bars(loads.south, largest, (0.0, ROUTER), (LINK, gap), ((0, 0), (0, 1)))
    yield from _bars(loads.north, largest, (beside, ROUTER), (LINK, gap), ((0, 1), (0, 0)))


def _bars(
    loads: NDArray[np.float64],
    largest: float,
    corner: tuple[float, float],
    size: tuple[float, float],
    ends: tuple[tuple[int, int], tuple[int, int]],
) -> Iterator[Bar]:
    """Links of one direction, from the router that is `ends[0]` further to the one that is `ends[1]` further."""
    for (y, x), load in np.ndenumerate(loads):
        if load:
            start, stop = ((x + dx, y + dy) for dx, dy in ends)
            text = f"({start[0]},{start[1]}) to ({stop[0]},{stop[1]}): {load:,.0f} messages an inference"
            yield Bar(x * PITCH + corner[0], y * PITCH + corner[1], *size, float(load) / largest, text)
