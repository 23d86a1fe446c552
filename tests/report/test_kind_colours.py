"""Kinds of events are told apart: no two of twenty have the same colour and hatching, in light and dark."""

import re

from nmdeploy.report.templates import template


def test_no_two_kinds_look_the_same():
    parts = template("figure_parts.html").module
    drawn = [str(parts.kind_rect(0, 0, 1, 1, kind, "")) for kind in range(20)]
    looks = {(re.search(r"kind-\d+", one)[0], "hatch" in one) for one in drawn}
    assert len(looks) == 20
    style = str(template("style.css").render())
    for scheme in style.split("prefers-color-scheme: dark"):
        colours = re.findall(r"--kind-(\d): (#\w{6})", scheme)
        assert [number for number, _ in colours] == list("0123456789")
        assert len({colour for _, colour in colours}) == 10
