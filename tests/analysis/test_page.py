"""The page of an analysis, and the report that includes one."""

import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from analyzed import analyzed

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.report.analysis_page import render_analysis_page
from nmdeploy.report.page import render_page

INT32 = energy_presets()["int32"]

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Checks that elements are closed in order, and keeps ids, headings and table cells."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.headings, self.cells = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h2", "td"):
            (self.headings if self.open[-1] == "h2" else self.cells).append(data)


@pytest.fixture(scope="module")
def artifact(plain_artifact):
    return read_artifact(plain_artifact)


def test_the_page_is_whole_and_fetches_nothing(artifact):
    page = render_analysis_page(analyzed("leaky"), artifact, "small <net>", "data.npz")
    outline = Outline(page)
    assert outline.headings == [
        "Over time steps",
        "What each layer loses",
        "Firing rates",
        "Channels",
        "Spikes",
        "Provenance",
    ]
    assert len(outline.ids) == len(set(outline.ids)) > 50
    assert "small &lt;net&gt;" in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert "@import" not in page
    assert page.count("<svg") == 6
    assert page == render_analysis_page(analyzed("leaky"), artifact, "small <net>", "data.npz")


def test_numbers_are_those_of_the_analysis(artifact):
    analysis = analyzed("leaky")
    cells = Outline(render_analysis_page(analysis, artifact, "small", "data.npz")).cells
    for point in analysis.curve.points:
        assert f"{point.window.error:.4f}" in cells
        assert f"{point.read_out.error:.4f}" in cells
    for row in analysis.layers.rows:
        assert f"{row.snr_db:.1f}" in cells
        assert f"{row.spikes:,.1f}" in cells
    assert "exact" in cells  # the maxima


def test_a_page_about_little(artifact):
    """A network that never spikes, one sample, errors that are unknown or zero, nothing drawn that is not there."""
    analysis = analyzed("plain", samples=1)
    rows = [
        replace(row, snr_db=None, own_snr_db=None, ideal_snr_db=None, drop_db=None) for row in analysis.layers.rows
    ]
    points = [
        replace(point, window=replace(point.window, error=error), read_out=replace(point.read_out, error=error))
        for point, error in zip(analysis.curve.points, [None, 0.0, None, 0.0, None, 0.0], strict=True)
    ]
    little = replace(
        analysis,
        accuracy=None,
        agreement=None,
        layers=replace(analysis.layers, rows=tuple(rows), furthest_below_ideal=None, loses_most_itself=None),
        curve=replace(analysis.curve, points=tuple(points)),
        channels=(),
        rates=(),
        raster=replace(analysis.raster, neurons=()),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outline = Outline(render_analysis_page(little, artifact, "small", "data.npz"))
    assert outline.headings == ["Over time steps", "What each layer loses", "Provenance"]


def test_saturations_are_not_passed_over(artifact):
    page = render_analysis_page(replace(analyzed("plain"), saturations=1234), artifact, "small", "data.npz")
    assert "1,234 membrane potentials were cut off" in page


def test_a_report_includes_it(artifact):
    with_it = Outline(render_page(artifact, "digits", INT32, analysis=analyzed("paced")))
    without = Outline(render_page(artifact, "digits", INT32))
    added = [heading for heading in with_it.headings if heading not in without.headings]
    assert added == ["Over time steps", "What each layer loses", "Firing rates", "Channels", "Spikes"]
    assert [heading for heading in with_it.headings if heading not in added] == without.headings
