"""Two compilations of the digits network, against what compile and energy say of each."""

import pytest
from command_line import nmdeploy, nmdeploy_here


@pytest.fixture(scope="module")
def narrower(tmp_path_factory, digits_model):
    """What compile printed for fewer steps, narrower weights, another method and seed, and the folder that it wrote."""
    folder = tmp_path_factory.mktemp("narrower") / "digits.nmd"
    options = ("-T", "8", "--weight-bits", "6", "--method", "channel-max", "--seed", "1")
    ended = nmdeploy("compile", digits_model, "--target", "loihi", *options, "-o", folder, "--json")
    assert ended.code == 0, ended.stderr
    return ended.json, folder


@pytest.fixture(scope="module")
def both(compiled, narrower):
    """What compile printed of both."""
    return compiled[0].json, narrower[0]


@pytest.fixture(scope="module")
def found(compiled, narrower):
    ended = nmdeploy_here("compare", compiled[1], narrower[1], "--format", "json")
    assert (ended.code, ended.stderr, ended.json["equal"]) == (0, "", False)
    return {(one["section"], one["subject"], one["name"]): one for one in ended.json["differences"]}


def test_options(found):
    changed = {name: (one["old"], one["new"]) for (section, _, name), one in found.items() if section == "options"}
    assert changed["timesteps"] == (16, 8)
    assert changed["weight_bits"] == (8, 6)
    assert changed["seed"] == (0, 1)
    assert changed["method"][1] == "channel-max"
    assert "target" not in changed


def test_same_model_and_tools(found):
    assert not [fact for fact in found if fact[0] == "provenance"]


SIZES = ("neurons", "synapses", "latency_steps", "steps_per_sample", "cores", "chips")
WAYS = ("messages", "off_chip_messages", "hops", "total_hops", "max_link_load", "mean_link_load")


@pytest.mark.parametrize("name", [*SIZES, *WAYS])
def test_mapping(found, both, name):
    """The figures of both compilations, or none where they are the same."""
    old, new = (summary[name] for summary in both)
    one = found.get(("mapping", "", name), {"old": old, "new": new, "difference": 0})
    assert one["old"] == pytest.approx(old, abs=1e-3)
    assert one["new"] == pytest.approx(new, abs=1e-3)
    assert (("mapping", "", name) in found) == (old != new)
    assert one["difference"] == pytest.approx(new - old, abs=1e-3)


def test_something_differs_in_the_mapping(both):
    """Else the test above would hold of a comparison that shows nothing."""
    assert sum(both[0][name] != both[1][name] for name in ("latency_steps", "messages", "total_hops")) == 3


def test_cores_of_layers(found, both):
    old, new = ({layer["name"]: layer["cores"] for layer in summary["layers"]} for summary in both)
    for name in old:
        one = found.get(("layers", name, "cores"), {"old": old[name], "new": old[name]})
        assert (one["old"], one["new"]) == (old[name], new[name])


def test_energy(found, compiled, narrower):
    reports = [nmdeploy_here("energy", folder, "--format", "json").json for folder in (compiled[1], narrower[1])]
    total = found["mapping", "", "energy_pj"]
    assert [total["old"], total["new"]] == [report["total"]["energy_pj"] for report in reports]
    for before, now in zip(*(report["layers"] for report in reports), strict=True):
        one = found["layers", before["name"], "energy_pj"]
        assert (one["old"], one["new"]) == (before["energy_pj"], now["energy_pj"])
    spikes = found["mapping", "", "spikes_per_inference"]
    assert [spikes["old"], spikes["new"]] == pytest.approx([report["spikes"] for report in reports])
