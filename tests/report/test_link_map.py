"""The picture of link loads shows every link that carries messages, and says the loads in words."""

import numpy as np
import pytest

from mapping.route_metrics import LinkLoads
from nmdeploy.report.link_map import LINKS_LISTED, ROUTERS_DRAWN, link_map


def loads(height, width, **given):
    shapes = {"east": (height, width - 1), "west": (height, width - 1)}
    shapes |= {"south": (height - 1, width), "north": (height - 1, width)}
    parts = {name: np.zeros(shape) for name, shape in shapes.items()}
    for name, ((y, x), load) in given.items():
        parts[name][y, x] = load
    return LinkLoads(**parts)


def test_every_busy_link_is_a_bar_between_its_routers():
    drawn = link_map(loads(2, 3, east=((1, 1), 50), west=((0, 0), 100), south=((0, 2), 25), north=((0, 1), 1)))
    routers = [bar for bar in drawn.bars if not bar.share]
    links = {bar.text: bar for bar in drawn.bars if bar.share}
    assert len(routers) == 6
    assert {text: bar.share for text, bar in links.items()} == {
        "(1,1) to (2,1): 50 messages an inference": 0.5,
        "(1,0) to (0,0): 100 messages an inference": 1.0,
        "(2,0) to (2,1): 25 messages an inference": 0.25,
        "(1,1) to (1,0): 1 messages an inference": 0.01,
    }
    assert drawn.title.startswith("link loads: busiest 100 messages an inference")
    assert "10 of 14 links idle" in drawn.title
    by_place = {(bar.x, bar.y) for bar in routers}
    for bar in links.values():
        assert 0 <= bar.x <= bar.x + bar.width <= drawn.width
        assert 0 <= bar.y <= bar.y + bar.height <= drawn.height
        assert (bar.x, bar.y) not in by_place


def test_links_ahead_and_back_do_not_cover_each_other():
    drawn = link_map(loads(2, 2, east=((0, 0), 2), west=((0, 0), 2), south=((0, 0), 2), north=((0, 0), 2)))
    bars = [bar for bar in drawn.bars if bar.share]
    assert len(bars) == 4
    for index, one in enumerate(bars):
        for other in bars[:index]:
            apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart_x or apart_y


@pytest.mark.parametrize(("height", "width"), [(1, 1), (ROUTERS_DRAWN // 64 + 1, 64)])
def test_nothing_is_drawn_of_one_router_or_of_too_many(height, width):
    assert link_map(loads(height, width)) is None


def test_the_table_has_the_busiest_links_first():
    given = np.arange(1.0, 57.0).reshape(7, 8)
    drawn = link_map(LinkLoads(given, np.zeros((7, 8)), np.zeros((6, 9)), np.zeros((6, 9))))
    assert drawn.links_in_use == 56 > LINKS_LISTED
    assert [messages for _, messages in drawn.busiest] == [str(load) for load in range(56, 56 - LINKS_LISTED, -1)]
    assert drawn.busiest[0][0] == "(7,6) to (8,6)"
    assert drawn.scale_end == "56 messages an inference"
