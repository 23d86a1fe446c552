"""Programs and networks of crossbars are read as they were written; damaged files are errors that name the file."""

from dataclasses import fields, replace

import h5py
import numpy as np
import pytest
from artifact_strategies import differences
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lava_backend.networks import networks

from mapping.crossbar_program import Axons, Columns, CrossbarProgram
from mapping.network import build_graph
from nmdeploy.artifact.crossbars_file import TYPES, read_crossbar_program, write_crossbar_program
from nmdeploy.artifact.network_file import read_network, write_network
from nmdeploy.errors import ArtifactError


@st.composite
def programs(draw):
    tables = []
    for table in TYPES.values():
        size = draw(st.integers(0, 20))
        tables.append({name: draw(arrays(np.dtype(kind), size)) for name, kind in table.items()})
    return CrossbarProgram(Columns(**tables[0]), Axons(**tables[1]))


@given(programs())
@settings(max_examples=100, deadline=None)
def test_reading_a_program_gives_what_was_written(tmp_path_factory, program):
    folder = tmp_path_factory.mktemp("crossbars")
    write_crossbar_program(folder / "first.h5", program)
    back = read_crossbar_program(folder / "first.h5")
    assert differences(program, back) == []
    write_crossbar_program(folder / "second.h5", back)
    assert (folder / "first.h5").read_bytes() == (folder / "second.h5").read_bytes()


def test_types_are_those_of_the_tables():
    for table, name in ((Columns, "columns"), (Axons, "axons")):
        assert list(TYPES[name]) == [field.name for field in fields(table)]
        assert all(f"{TYPES[name][field]} array" in table.__doc__.split(f"{field} :")[1] for field in TYPES[name])


def test_programs_are_compressed(tmp_path):
    """Many cores alike: a tenth of the arrays at most."""
    size = 100_000
    tables = {
        name: {field: (np.arange(size) // 256).astype(kind) for field, kind in types.items()}
        for name, types in TYPES.items()
    }
    write_crossbar_program(tmp_path / "x.h5", CrossbarProgram(Columns(**tables["columns"]), Axons(**tables["axons"])))
    assert (tmp_path / "x.h5").stat().st_size < 35 * size / 10


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "crossbars.h5"
    generator = np.random.default_rng(0)
    columns, axons = (
        {name: generator.integers(0, 100, size).astype(kind) for name, kind in TYPES[table].items()}
        for table, size in (("columns", 700), ("axons", 500))
    )
    write_crossbar_program(path, CrossbarProgram(Columns(**columns), Axons(**axons)))
    return path


def refused(path, *words):
    with pytest.raises(ArtifactError) as caught:
        read_crossbar_program(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_no_such_file(tmp_path):
    refused(tmp_path / "nothing.h5", "cannot be read")
    refused(tmp_path)
    (tmp_path / "text").write_text("text")
    refused(tmp_path / "text", "cannot be read")
    h5py.File(tmp_path / "other.h5", "w").close()
    refused(tmp_path / "other.h5", "no nmdeploy crossbar program")


def exchanged(file, name, array):
    del file[name]
    file[name] = array


CHANGES = {
    "newer version": ("format version 9", lambda file: file.attrs.__setitem__("format_version", 9)),
    "no version": ("format version None", lambda file: file.attrs.__delitem__("format_version")),
    "no format": ("no nmdeploy crossbar program", lambda file: file.attrs.__delitem__("format")),
    "no columns": ("columns", lambda file: file.__delitem__("columns")),
    "no delays": ("delay", lambda file: file.__delitem__("columns/delay")),
    "array for a group": ("damaged", lambda file: exchanged(file, "axons", np.arange(3))),
    "group for an array": ("damaged", lambda file: (file.__delitem__("axons/copy"), file.create_group("axons/copy"))),
    "floats": ("copy", lambda file: exchanged(file, "axons/copy", file["axons/copy"][()] * 1.0)),
    "wide": ("copy", lambda file: exchanged(file, "axons/copy", file["axons/copy"][()].astype(np.int64))),
    "words": ("copy", lambda file: exchanged(file, "axons/copy", "words")),
    "two axes": ("copy", lambda file: exchanged(file, "axons/copy", file["axons/copy"][()][None])),
    "shorter": ("entries", lambda file: exchanged(file, "axons/copy", file["axons/copy"][1:])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_file_is_refused(written, tmp_path, change):
    word, change_file = CHANGES[change]
    path = tmp_path / "changed.h5"
    path.write_bytes(written.read_bytes())
    with h5py.File(path, "r+") as file:
        change_file(file)
    refused(path, word)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_are_refused_or_read_as_a_program(written, data):
    """Whole files are guarded by the manifest's digests; here nothing but `ArtifactError` may come of any damage."""
    content = bytearray(written.read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = written.parent / "damaged.h5"
    path.write_bytes(content)
    program, told = None, ""
    try:
        program = read_crossbar_program(path)
    except ArtifactError as error:
        told = str(error)
    if program is None:
        assert str(path) in told
        return
    for name, types in TYPES.items():
        for field, kind in types.items():
            assert getattr(getattr(program, name), field).dtype == np.dtype(kind)


@st.composite
def crossbar_networks(draw):
    """Networks of any kind, with what crossbars add to populations and projections."""
    network = draw(networks())
    populations = []
    for one in network.populations:
        weights = draw(st.none() | arrays(np.int64, (one.shape[0], 4), elements=st.integers(-255, 255)))
        populations.append(replace(one, on_host=draw(st.booleans()), type_weights=weights))
    kinds = st.lists(st.integers(0, 3), max_size=5).map(tuple)
    projections = [replace(one, axon_types=draw(kinds)) for one in network.projections]
    return replace(network, graph=build_graph(populations, projections))


@given(crossbar_networks())
@settings(max_examples=60, deadline=None)
def test_networks_on_crossbars_are_read_as_written(tmp_path_factory, network):
    """Axon types, empty ones too, type weights or none, and who is on the host."""
    path = tmp_path_factory.mktemp("network") / "network.h5"
    write_network(path, network)
    assert differences(network, read_network(path)) == []
