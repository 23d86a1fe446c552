"""Figures: valid SVG that shows what is in the analysis, with equal bytes for equal analyses."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from analyzed import analyzed
from small_networks import KINDS

from nmdeploy.analysis.figures.channel_norms import channel_maxima_svg, channel_means_svg
from nmdeploy.analysis.figures.layer_ratios import layer_ratios_svg
from nmdeploy.analysis.figures.over_time import over_time_svg
from nmdeploy.analysis.figures.rate_histograms import rate_histograms_svg
from nmdeploy.analysis.figures.spike_raster import spike_raster_svg

FIGURES = (
    over_time_svg,
    layer_ratios_svg,
    rate_histograms_svg,
    channel_maxima_svg,
    channel_means_svg,
    spike_raster_svg,
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(figure):
    return {element.text.strip() for element in ElementTree.fromstring(figure).iter(f"{SVG}text")}


def ids(figure):
    return [element.get("id") for element in ElementTree.fromstring(figure).iter() if element.get("id")]


@pytest.mark.parametrize("kind", KINDS)
def test_ids_differ_and_references_lead_somewhere(kind):
    analysis = analyzed(kind)
    drawn = [draw(analysis) for draw in FIGURES]
    found = [name for figure in drawn for name in ids(figure)]
    assert len(found) == len(set(found))
    for figure in drawn:
        own = set(ids(figure))
        references = set(re.findall(r'(?:href="|url\()#([^")]+)', figure))
        assert references
        assert references <= own


@pytest.mark.parametrize("draw", FIGURES)
def test_nothing_is_fetched_and_no_date_is_said(draw):
    figure = draw(analyzed("leaky"))
    assert figure.startswith("<svg")
    assert "metadata" not in figure
    for address in re.findall(r'(?:href|src)="([^"]*)"', figure):
        assert address.startswith("#")


@pytest.mark.parametrize("draw", FIGURES)
def test_a_page_can_give_its_own_colours(draw):
    """Nothing is drawn in black or on white, and every colour can be replaced."""
    figure = draw(analyzed("leaky"))
    assert "currentColor" in figure
    fixed = re.findall(r"(?<!, )#[0-9a-f]{6}", figure)
    assert fixed == []


@pytest.mark.parametrize("draw", FIGURES)
def test_coordinates_have_one_decimal(draw):
    figure = draw(analyzed("leaky"))
    for attribute in re.findall(r' (?:d|x|y|width|height|transform)="([^"]*)"', figure):
        assert not re.search(r"\.\d{2}", attribute)


def test_every_figure_says_what_is_seen():
    analysis = analyzed("leaky")
    labels = [ElementTree.fromstring(draw(analysis)).get("aria-label") for draw in FIGURES]
    last = analysis.curve.points[-1]
    assert labels[0].endswith(f"{analysis.error:.4f} at t = {last.timesteps}")
    assert labels[1].endswith(f"{analysis.layers.furthest_below_ideal} is furthest below")
    assert f" of {len(analysis.rates)} layers; " in labels[2]
    assert [label.split()[0] for label in labels[3:5]] == ["Largest", "Mean"]
    spikes = sum(len(neuron.steps) for neuron in analysis.raster.neurons)
    assert labels[5].startswith(f"{spikes} spikes of 5 neurons")


def test_names_are_shown_as_they_are():
    """Also such as would be formulas or markup."""
    analysis = analyzed("plain")
    first, *others = analysis.layers.rows
    row = replace(first, name="$x_1$ <b>&")
    shown = texts(layer_ratios_svg(replace(analysis, layers=replace(analysis.layers, rows=(row, *others)))))
    assert {"$x_1$ <b>&", "largest", "second", "out"} <= shown


def test_what_is_drawn():
    analysis = analyzed("leaky")
    assert {"agreement", "agreement, read out early", "error, read out early"} <= texts(over_time_svg(analysis))
    assert "agreement, read out early" not in texts(over_time_svg(analyzed("plain")))
    assert any(text.startswith("first: ") and text.endswith("% at 0") for text in texts(rate_histograms_svg(analysis)))
    assert {"layer norm", "channel norm", "as compiled"} <= texts(channel_maxima_svg(analysis))
    named = {
        f"{neuron.population} ({neuron.channel}, {neuron.row}, {neuron.column})" for neuron in analysis.raster.neurons
    }
    assert len(named) == 5
    assert named <= texts(spike_raster_svg(analysis))


def test_every_spike_is_a_stroke():
    """Two colours: a stroke for each spike of +1 and of -1."""
    analysis = analyzed("leaky", sample_neurons=100)
    signs = [sign for neuron in analysis.raster.neurons for sign in neuron.signs]
    figure = spike_raster_svg(analysis)
    for sign, color in ((1, "#2563a8"), (-1, "#c2410c")):
        assert signs.count(sign) > 0
        assert sum(path.get("style", "").count(color) for path in drawn_lines(figure)) == signs.count(sign)


def drawn_lines(figure):
    """Paths, and uses of paths defined before."""
    root = ElementTree.fromstring(figure)
    definitions = {path for defs in root.iter(f"{SVG}defs") for path in defs.iter(f"{SVG}path")}
    paths = [path for path in root.iter(f"{SVG}path") if path not in definitions]
    return [*paths, *root.iter(f"{SVG}use")]


def test_equal_bytes_whatever_the_user_s_settings_are(tmp_path):
    """In processes of their own, of which one has another style, time zone and day."""
    program = "import test_figures as t; print([draw(t.analyzed('leaky')) for draw in t.FIGURES])"
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.grid: True\nsvg.fonttype: path\nlegend.fontsize: 3\n")
    usual = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    other = {**usual, "MATPLOTLIBRC": str(tmp_path), "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "86400"}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=Path(__file__).parent,
            capture_output=True,
            check=True,
        ).stdout
        for environment in (usual, other)
    )
    assert len(first) > 10_000
    assert first == second
