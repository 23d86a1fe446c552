"""compile --target truenorth, and every command on what it wrote; on the digits network."""

import hashlib
from dataclasses import replace

import h5py
import numpy as np
import pytest
from command_line import nmdeploy, nmdeploy_here, refused

from hw_profiles import load_target
from nmdeploy.artifact.artifact import read_artifact, write_artifact

TRUENORTH = load_target("truenorth")
# short searches
QUICK = ("--method", "channel-percentile", "--compensation", "none", "--effort", "none")


@pytest.fixture(scope="module")
def compiled_crossbars(digits_model, tmp_path_factory):
    """What compile printed, and the artifact."""
    folder = tmp_path_factory.mktemp("crossbars") / "digits.nmd"
    ended = nmdeploy("compile", digits_model, "--target", "truenorth", "-T", "32", *QUICK, "-o", folder, "--json")
    assert ended.code == 0, ended.stderr
    return ended.json, folder


def test_summary_lists_how_every_layer_is_summed(compiled_crossbars):
    summary, folder = compiled_crossbars
    network = read_artifact(folder).network
    sums = {entry["population"]: entry for entry in summary["sums"]}
    exact = [name for name, entry in sums.items() if entry["exact"]]
    approximate = [name for name, entry in sums.items() if not entry["exact"]]
    assert summary["approximate_layers"] == approximate
    assert approximate
    for name in exact:
        entry = sums[name]
        assert (entry["parts"], entry["bound_spikes"], entry["largest_deviation_spikes"]) == (1, 0.0, 0.0)
    for name in approximate:
        entry = sums[name]
        sources = {one.source for one in network.incoming(name)}
        while not any(".part" in source for source in sources):  # behind relays
            sources = {one.source for source in sources for one in network.incoming(source)}
        assert entry["parts"] >= 2
        assert entry["bound_spikes"] > 0
        assert 0 < entry["mean_deviation_spikes"] <= entry["largest_deviation_spikes"]
        assert 0 <= entry["unsent_share"] <= 1
        if not entry["unsent_share"]:
            assert entry["largest_deviation_spikes"] <= entry["bound_spikes"]
    assert any("computed by the host" in note for note in summary["notes"])
    assert sum("is summed in" in note or "are summed in" in note for note in summary["notes"]) >= 1
    assert summary["violations"] == []
    assert summary["weight_bits"] is None
    assert summary["decoding"] == "count"
    assert summary["cores_bound"] <= summary["cores"] <= TRUENORTH.mesh.cores_per_chip


def test_the_artifact_is_legal_and_recounted(compiled_crossbars):
    summary, folder = compiled_crossbars
    ended = nmdeploy("check", folder, "--format", "json")
    assert ended.code == 0, ended.stdout
    assert ended.json["violations"] == []
    assert (ended.json["cores_used"], ended.json["cores_bound"]) == (summary["cores"], summary["cores_bound"])


def test_accuracy_stays(compiled_crossbars, digits_data):
    summary, folder = compiled_crossbars
    ended = nmdeploy_here("run", folder, "--data", digits_data, "--json")
    assert ended.code == 0, ended.stderr
    assert ended.json["accuracy"] >= ended.json["float_accuracy"] - 0.02
    assert ended.json["saturations"] == 0
    assert summary["timesteps"] == 32


def test_other_commands_read_it(compiled_crossbars, digits_data, tmp_path):
    _, folder = compiled_crossbars
    for arguments in (
        ("energy", folder),
        ("energy", folder, "--by", "core"),
        ("energy", folder, "--data", digits_data, "--limit", "8"),
        ("analyze", folder, "--data", digits_data, "--limit", "8"),
        ("compare", folder, folder),
    ):
        ended = nmdeploy_here(*arguments)
        assert ended.code == 0, ended.stderr
        assert ended.stdout
    page = tmp_path / "page.html"
    assert nmdeploy_here("report", folder, "-o", page).code == 0
    assert "truenorth" in page.read_text(encoding="utf-8")


def test_energy_counts_the_host_apart(compiled_crossbars):
    _, folder = compiled_crossbars
    artifact = read_artifact(folder)
    hosts = {one.name for one in artifact.network.populations if one.on_host}
    assert {one.population for one in artifact.counts.tiles if one.core == "host"} == hosts
    assert sum(one.messages for one in artifact.counts.tiles) > 0


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_compiling_twice_writes_the_same_bytes(digits_model, tmp_path):
    folders = [tmp_path / "first.nmd", tmp_path / "second.nmd"]
    for folder in folders:
        options = ("-T", "8", "--method", "channel-percentile", "--compensation", "bias", "--effort", "low")
        assert nmdeploy("compile", digits_model, "--target", "truenorth", *options, "-o", folder).code == 0
    first, second = map(digests, folders)
    assert first == second
    assert "crossbars.h5" in first


@pytest.fixture
def tampered(compiled_crossbars, tmp_path):
    """The artifact written anew with one change of its program, digests made right."""

    def written(table, field, change):
        artifact = read_artifact(compiled_crossbars[1])
        folder = tmp_path / "tampered.nmd"
        write_artifact(folder, artifact)
        values = getattr(getattr(artifact.program, table), field).copy()
        change(values)
        changed = replace(getattr(artifact.program, table), **{field: values})
        write_artifact(folder, replace(artifact, program=replace(artifact.program, **{table: changed})))
        return folder

    return written


def add_one(values):
    values[5] += 1


@pytest.mark.parametrize(
    ("table", "field", "rules"),
    [
        ("columns", "target_axon", {"NMD813", "NMD814", "NMD815", "NMD816"}),
        ("columns", "delay", {"NMD817"}),
        ("columns", "neuron", {"NMD814", "NMD816", "NMD811", "NMD812"}),
        ("axons", "axon_type", {"NMD808"}),
        ("axons", "source_neuron", {"NMD809", "NMD810", "NMD814"}),
        ("axons", "copy", {"NMD808", "NMD809", "NMD810"}),
    ],
)
def test_a_changed_program_breaks_rules(tampered, table, field, rules):
    ended = nmdeploy_here("check", tampered(table, field, add_one), "--format", "json")
    assert ended.code == 1
    found = {one["rule"] for one in ended.json["violations"]}
    assert found & rules, found


def test_a_damaged_program_is_named(compiled_crossbars, tmp_path):
    folder = tmp_path / "damaged.nmd"
    write_artifact(folder, read_artifact(compiled_crossbars[1]))
    with h5py.File(folder / "crossbars.h5", "r+") as file:
        file["columns/delay"][3] += 1
    refused(nmdeploy_here("check", folder), "crossbars.h5")
    (folder / "crossbars.h5").unlink()
    for command in ("check", "energy", "report"):
        refused(nmdeploy_here(command, folder), "crossbars.h5")


OPTIONS = {
    "--decoding membrane": "potentials of truenorth cannot be read",
    "--thresholds layer": "every neuron of truenorth has a threshold of its own",
    "--neurons paced": "truenorth has no 'paced' neurons; it has if",
    "--neurons signed": "truenorth has no 'signed' neurons; it has if",
    "--refinement-steps 2": "spikes of truenorth all weigh the same",
    "--weight-bits 9": "weights of 8 bits at most",
    "--weight-rounding least-squares": "use nearest or gptq",
    "--stop-after place": "no such pass for truenorth. Passes: convert, quantize, lower, verify, count",
    "--lead 2": "need --neurons paced or signed",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_options_that_crossbars_lack_are_refused(digits_model, tmp_path, options):
    ended = nmdeploy_here("compile", digits_model, "--target", "truenorth", *options.split(), cwd=tmp_path)
    refused(ended, OPTIONS[options])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [("--reset", "zero"), ("--weight-bits", "2"), ("--initial-potential", "1")])
def test_options_that_crossbars_have(digits_model, tmp_path, options):
    folder = tmp_path / "digits.nmd"
    arguments = ("--target", "truenorth", "-T", "8", *QUICK, *options, "-o", folder, "--json")
    ended = nmdeploy_here("compile", digits_model, *arguments)
    assert ended.code == 0, ended.stderr
    assert ended.json["violations"] == []
    network = read_artifact(folder).network
    on_chip = [one for one in network.populations if not one.on_host]
    if "zero" in options:
        assert {one.reset for one in on_chip} == {"zero", "subtract"}
        assert all(one.reset == "zero" for one in on_chip if one.name in {"add", "conv2"})
    if "2" in options:
        kinds = {len(one.axon_types) for one in network.projections if not network.population(one.target).on_host}
        assert max(kinds) <= 2
    if "1" in options:
        assert all((one.initial_potential < one.threshold).all() for one in on_chip)


def test_stopping_after_a_pass(digits_model, tmp_path):
    options = ("-T", "8", *QUICK, "--stop-after", "lower")
    ended = nmdeploy_here("compile", digits_model, "--target", "truenorth", *options, cwd=tmp_path)
    assert ended.code == 0
    for name in ("stopped after lower", "convert", "quantize", "lower"):
        assert name in ended.stdout
    assert "verify" not in ended.stdout
    assert not list(tmp_path.iterdir())


def test_host_reads_only_columns_that_aim_at_it(compiled_crossbars):
    """Every output neuron has one column to the host, nobody else but what the host counts."""
    artifact = read_artifact(compiled_crossbars[1])
    columns = artifact.program.columns
    names = np.array([one.name for one in artifact.network.populations])
    to_host = set(names[columns.population[columns.target_core == -1]].tolist())
    counted = {
        one.source for one in artifact.network.projections if artifact.network.population(one.target).on_host
    }
    assert to_host == counted
