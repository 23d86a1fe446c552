"""compile --objective, --effort and --seed: what is recorded, shown and reproduced."""

import pytest
from command_line import nmdeploy_here, refused

from nmdeploy.artifact.artifact import read_artifact

QUICK = ("--target", "loihi", "-T", "4", "--method", "channel-max", "--compensation", "none")


@pytest.fixture
def compile_digits(digits_model, tmp_path):
    """Compiles with options; the folder, and the summary."""

    def made(name, *options):
        ended = nmdeploy_here("compile", digits_model, "-o", tmp_path / name, "--json", *QUICK, *options)
        assert ended.code == 0, ended.stderr
        return tmp_path / name, ended.json

    return made


def test_effort_shortens_ways_and_both_are_recorded(compile_digits):
    folder, idle = compile_digits("none.nmd", "--effort", "none")
    assert read_artifact(folder).manifest.options.effort == "none"
    folder, optimised = compile_digits("low.nmd", "--effort", "low", "--objective", "energy")
    recorded = read_artifact(folder).manifest.options
    assert (recorded.effort, recorded.objective) == ("low", "energy")
    assert (optimised["effort"], optimised["objective"]) == ("low", "energy")
    assert optimised["messages"] == idle["messages"] > 0
    assert optimised["hop_energy_pj"] <= idle["hop_energy_pj"]
    for summary in (idle, optimised):
        assert 0 <= summary["hops_bound"] <= summary["hops"]
        assert summary["hops"] == pytest.approx(summary["total_hops"] / summary["messages"], abs=1e-4)
    assert nmdeploy_here("check", folder).code == 0


def test_the_same_seed_gives_the_same_placement(compile_digits):
    first, _ = compile_digits("first.nmd", "--seed", "3")
    again, _ = compile_digits("again.nmd", "--seed", "3")
    assert (first / "placement.json").read_bytes() == (again / "placement.json").read_bytes()


def test_congestion_is_refused_where_routes_are_trees(digits_model, tmp_path):
    options = ("--target", "spinnaker", "-T", "4", "--objective", "congestion")
    ended = nmdeploy_here("compile", digits_model, "-o", tmp_path / "never.nmd", *options)
    refused(ended, "--objective congestion", "multicast trees", "--objective hops")


def test_the_report_shows_hops_links_and_spikes(compile_digits, tmp_path):
    folder, summary = compile_digits("digits.nmd")
    page = tmp_path / "report.html"
    assert nmdeploy_here("report", folder, "-o", page).code == 0
    text = page.read_text()
    assert f"<b>{summary['hops']:.2f}</b>hops a message (bound {summary['hops_bound']:.2f})" in text
    assert "link loads: busiest" in text
    assert 'aria-label="spikes, chip 0: ' in text
