"""Advice: counts are those of the compiled network, and nothing smaller than what is proposed would do."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from changed_networks import few_samples, saved
from command_line import nmdeploy_here
from torch import nn

from hw_profiles import load_target, parse_target, profile_text
from nmdeploy.advise.advice import advise
from nmdeploy.advise.change import Change, changed, possible_changes
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, Troubles
from nmdeploy.advise.proposals import Search, reached
from nmdeploy.advise.targets import mapper_for
from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import Calibration
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.frontend.load import load_model
from nmdeploy.passes import PassRunner
from nmdeploy.pipeline import compile_layers
from nmdeploy.pipeline_crossbars import compile_for_crossbars
from nmdeploy.quantize import QuantizationOptions

STEPS = 8


def chain(*channels):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, channels[0], 3, padding=1), nn.ReLU()]
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], 4, 1))


@pytest.fixture(scope="module")
def crossbar_case(tmp_path_factory):
    """A middle layer of 12 x 9 inputs, of which crossbars hold no more than 256 axons; (graph, mapper, advice)."""
    path = saved(tmp_path_factory.mktemp("crossbars"), chain(12, 16, 8), (1, 6, 6))
    graph = load_model(path).layers
    mapper = mapper_for(load_target("truenorth"), few_samples(path), STEPS, None, split_fan_in=False)
    return graph, mapper, advise(graph, mapper, most_layers=3, time_limit_seconds=1e9)


@pytest.fixture(scope="module")
def narrow_loihi():
    """Loihi, with 80 input axons a core."""
    text = profile_text("loihi").replace('name = "loihi"', 'name = "narrow"')
    return parse_target(
        text.replace("[core_limits.input_axons]\nvalue = 4096", "[core_limits.input_axons]\nvalue = 80"), "narrow"
    )


@pytest.fixture(scope="module")
def narrow_case(tmp_path_factory, narrow_loihi):
    path = saved(tmp_path_factory.mktemp("narrow"), chain(12, 16, 8), (1, 6, 6))
    graph = load_model(path).layers
    mapper = mapper_for(narrow_loihi, few_samples(path), STEPS, None, split_fan_in=False)
    return graph, mapper, advise(graph, mapper, most_layers=3, time_limit_seconds=1e9)


def compiled_cores(graph, mapper, bits=None):
    """Cores that the compiler needs, with its search, its rounding and its placement."""
    samples: Calibration = mapper.calibration
    options = CompilerOptions(QuantizationOptions(STEPS, bits or 8), method="channel-max", compensation="none")
    if hasattr(mapper.profile, "crossbar"):
        precision = Precision(mapper.bits)
        compiled = compile_for_crossbars(
            graph, samples, mapper.profile, options, precision, PassRunner(lambda name: None)
        )
    else:
        split = getattr(mapper, "split_fan_in", False)
        compiled = compile_layers(
            graph, samples, mapper.profile, replace(options, split_fan_in=split), PassRunner(lambda name: None)
        )
    assert compiled.violations == ()
    return len(compiled.placement.cores), compiled.placement.chip_count


def mapper_of(proposal, mapper):
    if proposal.weight_bits is not None:
        return mapper.with_bits(proposal.weight_bits)
    return mapper.with_split_fan_in() if proposal.split_fan_in else mapper


@pytest.mark.parametrize("case", ["crossbar_case", "narrow_case"])
def test_counts_are_those_of_the_compiled_network(case, request):
    graph, mapper, advice = request.getfixturevalue(case)
    if advice.before.fits:
        assert (advice.before.cores, advice.before.chips) == compiled_cores(graph, mapper)
    mapped = [one for one in advice.proposals if one.mapped is not None and one.mapped.fits]
    assert len(mapped) >= 3
    assert any(one.weight_bits or one.split_fan_in for one in mapped)
    for proposal in mapped:
        own = mapper_of(proposal, mapper)
        found = compiled_cores(changed(graph, proposal.changes), own, proposal.weight_bits)
        assert (proposal.mapped.cores, proposal.mapped.chips) == found, str(proposal)


@pytest.mark.parametrize("case", ["crossbar_case", "narrow_case"])
def test_nothing_smaller_reaches_the_goal(case, request):
    """Every smaller change of the kind is made and mapped."""
    graph, mapper, advice = request.getfixturevalue(case)
    tried = 0
    for proposal in advice.proposals:
        if proposal.layer is None:
            continue
        (change,) = proposal.changes
        smaller = possible_changes(graph, change.kind, change.layer)
        assert change in smaller
        for other in smaller[: smaller.index(change)]:
            mapped = mapper.mapped(changed(graph, [other]))
            assert not reached(mapped, advice.before, proposal.layer, proposal.goal), f"{other} does for {change}"
            tried += 1
        assert reached(proposal.mapped, advice.before, proposal.layer, proposal.goal)
    assert tried >= 5


def test_kinds_of_the_crossbar_case(crossbar_case):
    """12 channels of 9 taps: by 2 groups of 6 an input may drive 4 axons; fewer channels of the layer before, too."""
    _, _, advice = crossbar_case
    assert advice.before.in_parts == {"2", "4"}
    found = {(one.layer, one.changes[0].kind, one.changes[0].layer) for one in advice.proposals if one.layer}
    assert {("2", "groups", "2"), ("2", "channels", "0"), ("4", "groups", "4"), ("4", "channels", "2")} <= found
    assert all(goal == "exact" for _, goal in advice.wanted)
    (layer,) = [one for one in advice.before.layers if one.name == "0"]
    assert layer.on_host
    assert layer.cores is None


def test_shares_of_the_layers_are_all_cores(crossbar_case):
    _, _, advice = crossbar_case
    assert sum(layer.share or 0 for layer in advice.before.layers) == pytest.approx(1.0)
    assert all(0 < share <= 1 for layer in advice.before.layers for share in layer.uses.values())
    assert advice.before.cores_bound <= advice.before.cores


def test_refused_layers_are_all_changed_together(narrow_case):
    """80 axons less the reset's: 8 of 12 channels, and 3 x 3 of 16; each alone leaves the other refused."""
    _, _, advice = narrow_case
    assert advice.before.refused == {"2", "4"}
    assert advice.before.cores is None
    assert {violation.rule for violation in advice.before.refusals} == {"NMD202"}
    single = {str(one): one.mapped.refused for one in advice.proposals if one.layer}
    assert single["2: groups 1 -> 2"] == {"4"}
    assert single["0: channels 12 -> 8"] == {"4"}
    together = [one for one in advice.proposals if one.layer is None and len(one.changes) == 2]
    assert [one.mapped.fits for one in together] == [True, True]
    assert {change.kind for one in together for change in one.changes} == {"groups", "channels"}
    (split,) = [one for one in advice.proposals if one.split_fan_in]
    assert split.mapped.fits
    assert split.mapped.in_parts == {"2", "4"}
    assert not split.needs_training


def test_time_limit_leaves_out_and_says_so(crossbar_case):
    graph, mapper, advice = crossbar_case
    ticks = iter(range(1000))
    hurried = advise(graph, mapper, most_layers=3, time_limit_seconds=6, clock=lambda: float(next(ticks)))
    assert hurried.left_out
    assert hurried.before.cores == advice.before.cores
    assert len(hurried.left_out) + sum(one.mapped is not None for one in hurried.proposals) >= 4
    assert not hurried.without


def test_network_that_fits_has_nothing_to_gain(tmp_path):
    path = saved(tmp_path, chain(4), (1, 4, 4))
    mapper = mapper_for(load_target("loihi2"), few_samples(path), STEPS, None, split_fan_in=False)
    advice = advise(load_model(path).layers, mapper, most_layers=3, time_limit_seconds=1e9)
    assert advice.before.fits
    assert (advice.wanted, advice.proposals) == ((), ())


def test_fewer_cores_where_all_is_exact(tmp_path):
    """Two cores of compartments: the layer of most is cut until one is enough, and not one channel further."""
    path = saved(tmp_path, chain(8, 6), (1, 12, 12))
    graph = load_model(path).layers
    mapper = mapper_for(load_target("loihi"), few_samples(path), STEPS, None, split_fan_in=False)
    advice = advise(graph, mapper, most_layers=1, time_limit_seconds=1e9)
    assert [goal for _, goal in advice.wanted] == ["fewer cores"]
    for proposal in advice.proposals:
        assert proposal.mapped.cores < advice.before.cores
    (channels,) = [one for one in advice.proposals if one.changes and one.changes[0].kind == "channels"]
    (change,) = channels.changes
    one_more = replace(change, after=change.after + 1)
    kept = mapper.mapped(changed(graph, [one_more])).cores if one_more.after < change.before else advice.before.cores
    assert kept == advice.before.cores


def test_layer_cores_name_the_memory_and_what_fits(tmp_path):
    """32 x 64 x 64 neurons are twice what a core of Speck holds; half of the channels, or of the places, are not."""
    module = nn.Sequential(nn.Conv2d(2, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten())
    module.append(nn.Linear(32 * 16 * 16, 2))
    path = saved(tmp_path, module, (2, 64, 64))
    graph = load_model(path).layers
    mapper = mapper_for(load_target("speck"), few_samples(path), STEPS, None, split_fan_in=False)
    advice = advise(graph, mapper, most_layers=3, time_limit_seconds=1e9)
    first = advice.before.layers[0]
    assert (first.binds, round(first.uses["neuron_entries"], 3)) == ("neuron_entries", 2.0)
    assert {str(one) for one in advice.proposals} == {
        "0: channels 32 -> 16",
        "0: stride 1 -> 2",
        "0: mean over 2 x 2 before it",
    }
    assert all(one.mapped.fits for one in advice.proposals)


def test_analog_chips_count_circuits_and_synapses(tmp_path):
    """300 hidden neurons and 10, of 256 circuits; 246 hidden neurons fit."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(500, 300), nn.ReLU(), nn.Linear(300, 10))
    path = saved(tmp_path, module, (500,))
    mapper = mapper_for(load_target("rolls"), few_samples(path), STEPS, None, split_fan_in=False)
    advice = advise(load_model(path).layers, mapper, most_layers=3, time_limit_seconds=1e9)
    assert advice.unit == "neuron circuits"
    assert advice.before.cores == 310
    assert [(layer.cores, round(layer.uses["synapses"], 3)) for layer in advice.before.layers] == [
        (300, round(500 / 512, 3)),
        (10, round(300 / 512, 3)),
    ]
    assert "0: channels 300 -> 246" in {str(one) for one in advice.proposals}


def test_too_many_chips_are_counted_all_the_same(tmp_path):
    """A system of one chip: what asks for more is refused, with its count, and made smaller."""
    profile = load_target("loihi")
    one_chip = profile.mesh.chips.model_copy(update={"value": 1})
    small = profile.model_copy(update={"mesh": profile.mesh.model_copy(update={"chips": one_chip})})
    path = saved(tmp_path, chain(24, 24, 24), (1, 32, 32))
    graph = load_model(path).layers
    mapper = mapper_for(small, few_samples(path), STEPS, None, split_fan_in=False)
    before = mapper.mapped(graph)
    assert [violation.rule for violation in before.refusals] == ["NMD107"]
    whole = mapper_for(profile, few_samples(path), STEPS, None, split_fan_in=False).mapped(graph)
    assert whole.fits
    assert (before.cores, before.chips) == (whole.cores, whole.chips)
    assert before.chips > 1
    assert before.refused == frozenset()
    search = Search(graph, mapper, before, deadline=float("inf"))
    (change,) = [one for one in search.changes_for(before.layer("2"), "fits") if one.layer == "2"]
    assert change.kind == "channels"
    assert mapper.mapped(changed(graph, [change])).fits
    assert not mapper.mapped(changed(graph, [replace(change, after=change.after + 1)])).fits


class GapsInCounts:
    """A mapper by which layer "4" has too many inputs from 8 channels of layer "2" on, and from 5 or 6."""

    def __init__(self, wide):
        self._wide = wide

    def coarsest(self):
        return GapsInCounts(frozenset(range(8, 100)))

    def troubles(self, layers, names=None):
        return Troubles(in_parts=frozenset({"4"} if layers.layer("2").shape[0] in self._wide else ()))


def test_largest_count_is_found_though_smaller_ones_do_not_do(tmp_path):
    """By bisection alone it would be 4."""
    graph = load_model(saved(tmp_path, chain(4, 16, 8), (1, 6, 6))).layers
    layer = MappedLayer("4", ("4",), 1, None, sum_of=(2, 1))
    before = MappedNetwork((layer,), 1, 1, None, ())
    search = Search(graph, GapsInCounts(frozenset({5, 6, *range(8, 100)})), before, deadline=float("inf"))
    changes = possible_changes(graph, "channels", "2")
    assert search._smallest(changes, "4", "exact") == Change("channels", "2", 16, 7)


def test_narrower_weights_take_less_memory(tmp_path):
    path = saved(tmp_path, chain(8, 6), (1, 6, 6))
    graph = load_model(path).layers
    mapper = mapper_for(load_target("loihi"), few_samples(path), STEPS, None, split_fan_in=False)
    assert mapper.fewer_bits == (6, 5, 4, 3, 2, 1)
    wide, narrow = (one.mapped(graph).layer("2").uses["synapse_memory_words"] for one in (mapper, mapper.with_bits(3)))
    assert narrow < wide


def test_command_and_advice_agree(digits_model):
    ended = nmdeploy_here("advise", digits_model, "--target", "loihi", "--json")
    assert ended.code == 0, ended.stderr
    mapper = mapper_for(load_target("loihi"), few_samples(digits_model), 64, None, split_fan_in=False)
    advice = advise(load_model(digits_model).layers, mapper, most_layers=3, time_limit_seconds=1e9)
    assert ended.json["cores"] == advice.before.cores
    assert [one["cores"] for one in ended.json["proposals"]] == [one.mapped.cores for one in advice.proposals]
