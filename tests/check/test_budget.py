"""Budgets: what they accept, refuse and judge, against counts made here."""

import json
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from command_line import nmdeploy_here, refused
from hypothesis import given
from hypothesis import strategies as st
from mapped import FAR, index_of, moved_apart

from hw_profiles import load_profile
from nmdeploy.artifact.artifact import write_artifact
from nmdeploy.check.budget import read_budgets
from nmdeploy.check.measures import MEANINGS


def check(folder, *budgets, output_format="json"):
    options = [f"--budget={budget}" for budget in budgets]
    return nmdeploy_here("check", folder, "--format", output_format, *options)


def test_measures_are_those_counted_here(artifact, written):
    """Hops neuron by neuron, from the weights' own tables; shares from the file; energy as `energy` says."""
    values = check(written).json["measures"]["values"]
    records = json.loads((written / "placement.json").read_text())["cores"]
    assert values["cores"] == len(records) == 7
    assert values["chips"] == 1
    limits = load_profile("loihi").core_limits
    for field in records[0]["demands"]:
        limit = getattr(limits, field)
        name = f"utilisation.{field}"
        assert (name in values) == (limit is not None)
        if limit is not None:
            assert values[name] == max(record["demands"][field] for record in records) / limit.value
    assert values["utilisation"] == max(value for name, value in values.items() if name.startswith("utilisation."))
    messages, hops = count_messages(artifact, records)
    assert values["hops"] == pytest.approx(hops / messages)
    assert values["total_hops"] == pytest.approx(hops)
    energy = nmdeploy_here("energy", written, "--format", "json").json
    assert values["energy_pj"] == energy["total"]["energy_pj"]


def count_messages(artifact, records):
    """Messages and hops if every neuron spikes once: one message a neuron and core that it has a synapse on."""
    of_neuron = {}
    for index, record in enumerate(records):
        for name, *box in record["tiles"]:
            channels, rows, columns = (range(*interval) for interval in box)
            for place in ((c, r, x) for c in channels for r in rows for x in columns):
                of_neuron[name, place] = index
    received = {
        (projection.source, source, core)
        for projection in artifact.network.projections
        for (name, target), core in of_neuron.items()
        if name == projection.target
        for source in sources(projection.connectivity, target)
    }
    hops = Counter()
    for name, place, core in received:
        (_, from_x, from_y, _), (_, to_x, to_y, _) = (records[i]["address"] for i in (of_neuron[name, place], core))
        hops[abs(from_x - to_x) + abs(from_y - to_y)] += 1
    return len(received), sum(distance * count for distance, count in hops.items())


def sources(table, target):
    """Source neurons of a target neuron in a projection without groups."""
    _, row, column = target
    rows, columns = table.rows[row], table.columns[column]
    return product(range(table.in_channels), rows[rows >= 0], columns[columns >= 0])


@pytest.mark.parametrize("name", ["cores", "chips", "hops", "total_hops", "energy_pj", "utilisation.input_axons"])
def test_a_budget_is_met_up_to_its_value(written, name):
    value = check(written).json["measures"]["values"][name]
    met, missed = check(written, f"{name}={value!r}"), check(written, f"{name}={value * 0.999!r}")
    assert (met.code, missed.code) == (0, 1)
    assert [item["met"] for item in met.json["budgets"] + missed.json["budgets"]] == [True, False]
    assert met.json["passed"] is not missed.json["passed"] is False


def test_missed_budgets_in_all_formats(written):
    budgets = ("cores=6", "hops=9", "utilisation.input_axons=1%")
    for output_format in ("text", "github", "sarif", "junit", "markdown"):
        ended = check(written, *budgets, output_format=output_format)
        assert ended.code == 1
        assert "cores 7, budget 6" in ended.stdout
        assert "NMD901" in ended.stdout
    text = check(written, *budgets, output_format="text").stdout
    assert "budget hops: " in text
    assert ", 2 budgets missed" in text.splitlines()[-1]


def test_annotation_stands_at_the_core_with_most_hops(artifact, tmp_path):
    far = index_of(artifact, "third")
    write_artifact(tmp_path / "far.nmd", moved_apart(artifact, far))
    (line, _) = check(tmp_path / "far.nmd", "hops=1", output_format="github").stdout.splitlines()
    assert f"line={far + 2},title=NMD901::core {FAR}: hops " in line


def test_budget_file(written, tmp_path):
    """A later budget replaces an earlier one, so the command line can lower a file's."""
    path = tmp_path / "budget.toml"
    path.write_text('[budget]\ncores = 7\nhops = 9.5\nutilisation.input_axons = "50%"\nenergy_pj = 2e8\n')
    judged = {item["measure"]: item["budget"] for item in check(written, path).json["budgets"]}
    assert judged == {"cores": 7, "hops": 9.5, "utilisation.input_axons": 0.5, "energy_pj": 2e8}
    assert check(written, path).code == 0
    assert check(written, path, "cores=6").code == 1
    assert check(written, "cores=6", path).code == 0


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("cores", ["cores", "MEASURE=NUMBER"]),
        ("cores=", ["cores="]),
        ("cores=many", ["many", "no number"]),
        ("cores=-1", ["-1", "at least 0"]),
        ("hops=nan", ["nan"]),
        ("hops=inf", ["inf"]),
        ("hops=1e999", ["1e999"]),
        ("core=3", ["core", "did you mean cores"]),
        ("utilization=0.5", ["utilization", "did you mean utilisation"]),
        ("utilisation=60", ["60", "share"]),
        ("utilisation.compartment=0.5", ["utilisation.compartments"]),
        ("utilisation.synapse_row_bytes=0.5", ["utilisation.synapse_row_bytes", "no such limit"]),
        ("missing.toml", ["missing.toml", "cannot be read"]),
        ("", ["MEASURE=NUMBER"]),
    ],
)
def test_malformed_budgets_are_refused(written, budget, words):
    refused(check(written, budget), "--budget", *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= nonsense [", ["not valid TOML"]),
        ("cores = 3", ["no table [budget]"]),
        ("budget = 3", ["no table [budget]"]),
        ("[budget]\ncoers = 3", ["coers", "did you mean cores"]),
        ("[budget]\ncores = true", ["cores", "no number"]),
        ("[budget]\ncores = [3]", ["cores", "no number"]),
        ("[budget]\ncores.many = 3", ["cores.many"]),
        ("[budget]\nhops = nan", ["hops"]),
        ("[budget.utilisation]\ninput_axons = 90", ["input_axons", "share"]),
    ],
)
def test_malformed_budget_files_are_refused(written, tmp_path, text, words):
    (tmp_path / "budget.toml").write_text(text)
    refused(check(written, tmp_path / "budget.toml"), "budget.toml", *words)


@given(st.integers(0, 100))
def test_percentages_are_exact(percent):
    """57% is 0.57, not 0.5700000000000001, which 57 * 0.01 would be."""
    assert read_budgets([f"utilisation={percent}%"]) == {"utilisation": float(f"{percent}e-2")}


def test_unknown_preset(written):
    refused(nmdeploy_here("check", written, "--preset", "free"), "free", "int32")


def test_an_illegal_placement_is_not_measured(artifact, tmp_path):
    """It fails for its violations; there are no numbers that would flatter it."""
    cores = tuple(artifact.placement.cores[:-1])
    write_artifact(tmp_path / "cut.nmd", replace(artifact, placement=replace(artifact.placement, cores=cores)))
    ended = check(tmp_path / "cut.nmd", "cores=1")
    assert ended.code == 1
    assert ended.json["measures"] is None
    assert ended.json["budgets"] == []
    assert {item["rule"] for item in ended.json["violations"]} >= {"NMD101"}


def test_counts_of_another_placement_are_refused(artifact, tmp_path):
    moved = moved_apart(artifact, 0)
    write_artifact(tmp_path / "mixed.nmd", replace(moved, counts=artifact.counts))
    refused(check(tmp_path / "mixed.nmd"), "energy.json", "another placement")


def test_every_measure_has_a_meaning(written):
    assert set(check(written).json["measures"]["values"]) <= set(MEANINGS)
