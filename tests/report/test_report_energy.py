"""Energy on the page: kinds of events of several presets, the network without spikes, windows of an energy report."""

import json
import re

import pytest
from command_line import nmdeploy_here, refused
from report.windows import window, windows_of

from hw_profiles.energy import energy_presets
from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.energy.comparison import compare_formats
from nmdeploy.energy.report import EnergyReport
from nmdeploy.report.page import render_page
from nmdeploy.report.pareto_figure import pareto_figure

INT32 = energy_presets()["int32"]

POINT = window(4, 0.5, 1e6, 5, True).as_dict()


@pytest.fixture(scope="module")
def energy_document(tmp_path_factory, compiled_digits, digits_analysis):
    """Of the data of the analysis, with two windows."""
    data = digits_analysis.parent / "digits.npz"
    ended = nmdeploy_here(
        "energy", compiled_digits, "--data", data, "--limit", "20", "--windows", "6,12", "--format", "json"
    )
    assert ended.code == 0, ended.stderr
    path = tmp_path_factory.mktemp("energy") / "energy.json"
    path.write_text(ended.stdout)
    return path


def report(compiled_digits, tmp_path, energy):
    return nmdeploy_here("report", compiled_digits, "-o", tmp_path / "report.html", "--energy", energy)


def test_kinds_of_events_by_layer_for_arithmetic_memory_and_the_chip(compiled_digits):
    artifact = read_artifact(compiled_digits)
    page = render_page(artifact, "digits", INT32)
    for name in ("int32", "lemaire2022", "loihi-sanafe"):
        table = page.split(f"Energy by layer and kind as a table, {name}</summary>")[1].split("</table>")[0]
        found = EnergyReport(artifact.counts, energy_presets()[name])
        kinds = [kind for kind, energy_pj in found.total.energy_by_kind_pj.items() if energy_pj]
        assert re.findall(r"<th class=\"n\">(.*?), pJ</th>", table) == [
            *(kind.replace("_", " ") for kind in kinds),
            "sum",
        ]
        for row in found.layers:
            cells = re.search(f"<td>{row.name}</td>(.*?)</tr>", table)[1]
            values = [row.energy_by_kind_pj[kind] for kind in kinds]
            assert re.findall(r">([\d,]+)<", cells) == [f"{one:,.0f}" for one in [*values, sum(values)]]


def test_the_network_without_spikes(compiled_digits):
    artifact = read_artifact(compiled_digits)
    table = render_page(artifact, "digits", INT32).split("The same network without spikes</h3>")[1].split("</table>")[0]
    for one in compare_formats(artifact.counts):
        cells = re.search(f"<td>{one.number_format.name}</td>(.*?)</tr>", table)[1]
        for value in (
            f"{one.spiking_pj:,.0f}",
            f"{one.trained_pj:,.0f}",
            f"{one.ratio:.3g}",
            f"{one.ratio_with_memory:.3g}",
            f"{one.number_format.break_even:.3g}",
        ):
            assert f">{value}<" in cells


def test_windows_say_what_their_energies_are_of(compiled_digits):
    page = render_page(
        read_artifact(compiled_digits), "digits", INT32, windows=windows_of([window(8, 0.5, 1e6, 9, True)])
    )
    caption = page.split("Energy, accuracy and latency over T</h3>")[1].split("</figcaption>")[0]
    for words in ("Estimate, preset loihi-sanafe", "leaves out all else", "7 samples of test.npz"):
        assert words in caption


def test_networks_that_decide_nothing_are_drawn_by_their_error():
    points = [
        EnergyPoint(steps, steps, None, None, error, 1e6 * steps, 1.0, True) for steps, error in ((4, 0.3), (8, 0.1))
    ]
    figure = pareto_figure(points)
    assert figure.quality == "error"
    assert len(figure.marks) == 2
    assert "best T = 8" in figure.title


def test_windows_of_an_energy_report(compiled_digits, energy_document, tmp_path):
    assert report(compiled_digits, tmp_path, energy_document).code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    table = page.split("Energy, accuracy and latency as a table</summary>")[1].split("</table>")[0]
    for point in json.loads(energy_document.read_text())["windows"]:
        assert f'<td class="n">{point["timesteps"]}</td>' in table
        assert f'<td class="n">{point["energy_pj"]:,.0f}</td>' in table


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "nmdeploy-analysis"}, "is no energy report"),
        ({"format_version": 0}, "format version 0"),
        ({"network_sha256": "0"}, "of another network"),
        ({"windows": []}, "has no windows"),
        ({"windows": [{"timesteps": 3}]}, "damaged: windows.0"),
        ({"windows": 3}, "damaged: windows"),
        ({"windows": [{**POINT, "energy_pj": 1e308}]}, "windows.0.energy_pj"),
        ({"windows": [{**POINT, "energy_pj": -1.0}]}, "windows.0.energy_pj"),
        ({"windows": [{**POINT, "accuracy": 1e9}]}, "windows.0.accuracy"),
        ({"windows": [{**POINT, "accuracy": float("nan")}]}, "windows.0.accuracy"),
        ({"preset": 3}, "damaged: preset"),
    ],
)
def test_other_documents_are_refused(compiled_digits, energy_document, tmp_path, changes, words):
    path = tmp_path / "changed.json"
    path.write_text(json.dumps({**json.loads(energy_document.read_text()), **changes}))
    refused(report(compiled_digits, tmp_path, path), "changed.json", words)
    assert not (tmp_path / "report.html").exists()


def test_what_is_no_json_is_refused(compiled_digits, tmp_path):
    path = tmp_path / "cut.json"
    path.write_text('{"format": "nmdeploy-en')
    refused(report(compiled_digits, tmp_path, path), "cut.json", "not valid JSON")
    refused(report(compiled_digits, tmp_path, tmp_path / "missing.json"), "missing.json", "cannot be read")


def test_the_page_of_another_preset(compiled_digits, tmp_path):
    path = tmp_path / "report.html"
    assert nmdeploy_here("report", compiled_digits, "-o", path, "--preset", "loihi-sanafe").code == 0
    page = path.read_text(encoding="utf-8")
    total = EnergyReport(read_artifact(compiled_digits).counts, energy_presets()["loihi-sanafe"]).total
    assert "estimate by loihi-sanafe" in page
    assert f"{total.energy_pj:,.0f} pJ in" in page
    refused(nmdeploy_here("report", compiled_digits, "-o", tmp_path / "none.html", "--preset", "free"), "free", "int32")
    assert not (tmp_path / "none.html").exists()
