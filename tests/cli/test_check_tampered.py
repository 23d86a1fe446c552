"""Single tamperings with a compiled artifact, its digests made right again: `check` names each one's own rule."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from mapping.network import build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.placement import CoreAddress, Placement
from nmdeploy.artifact.artifact import read_artifact, write_artifact
from nmdeploy.cli.app import app


@pytest.fixture(scope="module")
def artifact(compiled):
    return read_artifact(compiled[1])


def with_core(artifact, index, **changes):
    cores = list(artifact.placement.cores)
    cores[index] = replace(cores[index], **changes)
    return replace(artifact, placement=Placement(tuple(cores)))


def with_tile(artifact, index, **changes):
    return with_core(artifact, index, tiles=(replace(artifact.placement.cores[index].tiles[0], **changes),))


def with_demand(artifact, **changes):
    return with_core(artifact, 0, demands=replace(artifact.placement.cores[0].demands, **changes))


def merged(artifact):
    """All tiles on the first core."""
    first, *others = artifact.placement.cores
    tiles = tuple(tile for core in (first, *others) for tile in core.tiles)
    return replace(artifact, placement=Placement((replace(first, tiles=tiles, targets=()),)))


def with_network(artifact, populations=None, projections=None, **changes):
    populations, projections = populations or {}, projections or {}
    graph = build_graph(
        [replace(item, **populations.get(index, {})) for index, item in enumerate(artifact.network.populations)],
        [replace(item, **projections.get(index, {})) for index, item in enumerate(artifact.network.projections)],
    )
    return replace(artifact, network=replace(artifact.network, graph=graph, **changes))


def population(artifact, field, change):
    """The second population with one field changed."""
    value = getattr(artifact.network.populations[1], field)
    return with_network(artifact, populations={1: {field: change(value)}})


def projection(artifact, field, change):
    """The last projection, of dense mixed weights, with one field changed."""
    last = len(artifact.network.projections) - 1
    value = getattr(artifact.network.projections[last], field)
    return with_network(artifact, projections={last: {field: change(value)}})


def with_profile(artifact, **sections):
    """Compiled against a chip with more limits: a table of values for each section."""
    added = "".join(
        f'[{section}.{field}]\nvalue = {value}\nstatus = "assumed"\nsource = "test"\n'
        for section, values in sections.items()
        for field, value in values.items()
    )
    return replace(artifact, profile_text=artifact.profile_text + added)


def maximum(artifact, base):
    """The second population as a maximum over the counts of nine synapses that its kernels do not tell apart."""
    nothing = np.zeros(16, dtype=np.int64)
    bias = nothing[:, None, None]
    changes = {"threshold": nothing, "initial_potential": nothing, "bias_mantissa": bias, "bias_exponent": bias}
    return with_network(artifact, populations={1: {**changes, "pool_counts": PoolCounts(base)}})


ROWS = {"header_bytes": 12, "bytes_per_synapse": 4}
MEMORY = {
    "fixed_bytes": 0,
    "bytes_per_neuron": 0,
    "bytes_per_value": 4,
    "bytes_per_input_axon": 0,
    "bytes_per_synapse_word": 0,
}
SLOPE = np.full(16, 26)


def off_chip(artifact, **address):
    core = artifact.placement.cores[0]
    return with_core(artifact, 0, address=replace(core.address, **address))


def sending(artifact):
    """Position of a core that sends to others, and its targets."""
    return next((index, core.targets) for index, core in enumerate(artifact.placement.cores) if core.targets)


def without_a_target(artifact):
    index, targets = sending(artifact)
    return with_core(artifact, index, targets=targets[1:])


def with_a_needless_target(artifact):
    index, targets = sending(artifact)
    return with_core(artifact, index, targets=(*targets, CoreAddress(3, 0, 0, 0)))


TAMPERINGS = {
    "NMD101": lambda a: replace(a, placement=Placement(a.placement.cores[:-1])),
    "NMD102": lambda a: with_core(a, 0, tiles=a.placement.cores[0].tiles * 2),
    "NMD103": lambda a: with_tile(a, 0, channels=(0, 1000)),
    "NMD104": lambda a: with_tile(a, 0, population="nobody"),
    "NMD105": lambda a: off_chip(a, x=8),
    "NMD106": lambda a: with_core(a, 0, address=a.placement.cores[1].address),
    "NMD107": lambda a: off_chip(a, chip=10**6),
    "NMD108": without_a_target,
    "NMD109": with_a_needless_target,
    "NMD110": lambda a: with_demand(a, synapse_memory_words=a.placement.cores[0].demands.synapse_memory_words - 1),
    "NMD201": merged,
    "NMD209": lambda a: with_profile(a, core_limits={"memory_bytes": 100}, memory_costs=MEMORY),
    "NMD210": lambda a: with_profile(a, core_limits={"synapse_row_bytes": 100}, synapse_rows=ROWS),
    "NMD211": lambda a: with_profile(a, core_limits={"synapses_per_row": 2}, synapse_rows=ROWS),
    "NMD301": lambda a: projection(a, "weights", lambda weights: weights | 1),
    "NMD302": lambda a: projection(a, "weight_bits", lambda bits: 7),
    "NMD303": lambda a: projection(a, "weight_exponent", lambda exponent: -8),
    "NMD304": lambda a: population(a, "threshold", lambda threshold: threshold + 1),
    "NMD306": lambda a: population(a, "bias_mantissa", lambda mantissa: mantissa + 10_000),
    "NMD307": lambda a: population(a, "initial_potential", lambda potential: potential - 2**24),
    "NMD308": lambda a: projection(a, "delay", lambda delay: 1000),
    "NMD309": lambda a: projection(a, "weight_exponent", lambda exponent: 7),
    "NMD310": lambda a: replace(a, network=replace(a.network, state_max=2**15 - 1)),
    "NMD311": lambda a: population(a, "count_memory", lambda _: CountMemory(release="half", slope_mantissa=SLOPE)),
    "NMD312": lambda a: population(a, "count_memory", lambda _: CountMemory()),
    "NMD402": lambda a: projection(a, "weights", lambda weights: weights[:, :, :, :1]),
    "NMD403": lambda a: population(a, "start_step", lambda step: step + 1),
    "NMD404": lambda a: population(a, "negative_threshold", lambda threshold: np.ones(16, dtype=np.int64)),
    "NMD405": lambda a: population(a, "reset", lambda reset: "soft"),
    "NMD406": lambda a: population(a, "threshold", lambda threshold: threshold[:-1]),
    "NMD407": lambda a: population(a, "count_memory", lambda _: CountMemory(lead=1, paced=False)),
    "NMD408": lambda a: population(a, "count_memory", lambda _: CountMemory(lead=0, release="half")),
    "NMD409": lambda a: maximum(a, 2),
}
"""Rule to what breaks it."""


@pytest.mark.parametrize("rule", TAMPERINGS)
def test_tampered(artifact, tmp_path, rule):
    folder = tmp_path / "tampered.nmd"
    write_artifact(folder, TAMPERINGS[rule](artifact))
    text = CliRunner().invoke(app, ["check", str(folder)])
    assert text.exit_code == 1, text.output
    lines = text.stdout.splitlines()
    assert any(line.startswith(f"{rule} ") for line in lines), text.output
    assert "0 violations" not in lines[-1]
    as_json = CliRunner().invoke(app, ["check", str(folder), "--format", "json"])
    assert as_json.exit_code == 1, as_json.output
    violations = json.loads(as_json.stdout)["violations"]
    assert rule in {violation["rule"] for violation in violations}
    assert len(violations) == len(lines) - 1
    for violation in violations:
        assert {"rule", "severity", "where", "demand", "capacity", "remedy"} <= set(violation)
        assert violation["where"]
        assert violation["remedy"]


def test_untampered_copy_passes(artifact, tmp_path):
    """The way of tampering is not itself what is found."""
    write_artifact(tmp_path / "copy.nmd", with_network(artifact))
    assert CliRunner().invoke(app, ["check", str(tmp_path / "copy.nmd")]).exit_code == 0


def test_in_a_process_of_its_own(artifact, tmp_path):
    write_artifact(tmp_path / "tampered.nmd", TAMPERINGS["NMD201"](artifact))
    command = [sys.executable, "-m", "nmdeploy", "check", "tampered.nmd", "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    found = next(item for item in json.loads(ended.stdout)["violations"] if item["rule"] == "NMD201")
    neurons = 2 * 16 * 8 * 8 + 32 * 4 * 4 + 10
    assert found["demand"] >= neurons > found["capacity"] == 1024


@pytest.mark.parametrize("name", ["placement.json", "network.h5", "energy.json", "manifest.json"])
def test_edited_without_a_new_digest(artifact, tmp_path, name):
    folder = tmp_path / "edited.nmd"
    write_artifact(folder, artifact)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"0", b"1", 1))
    command = [sys.executable, "-m", "nmdeploy", "check", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr
