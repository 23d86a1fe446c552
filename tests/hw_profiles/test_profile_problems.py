"""Every mistake in a profile is reported with its key and its line, and the schema says the same as the data model."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hw_profiles
from hw_profiles import available_targets, profile_schema, profile_text
from hw_profiles.load import mistakes, tomllib
from hw_profiles.problems import profile_problems
from hw_profiles.toml_lines import TomlLines

PROFILES = {name: tomllib.loads(profile_text(name)) for name in available_targets()}
SCHEMA_FILE = Path(hw_profiles.__file__).parent / "profile_schema.json"


def figures(data, path=()):
    """Yield path and contents of every table with a source."""
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for name, value in entries:
        if isinstance(value, dict) and "source" in value:
            yield (*path, name), value
        elif isinstance(value, (dict, list)) and name != "names":
            yield from figures(value, (*path, name))


FIGURES = [(name, path) for name, data in PROFILES.items() for path, _ in figures(data)]


def at(data, path):
    for part in path:
        data = data[part]
    return data


WRONG = {
    "value": st.sampled_from(["4", 1.5, None, [1], -(2**40)]) | st.booleans(),
    "values": st.sampled_from([[], [1.5], ["1"], 3, [0]]),
    "names": st.sampled_from([[], ["pacd"], "if", [1]]),
    "status": st.sampled_from(["rumoured", "", 1, None]),
    "source": st.sampled_from(["", 1, None, ["paper"]]),
}


@st.composite
def mutations(draw):
    """A profile with one mistake in one figure, and the key that must be named."""
    name, path = draw(st.sampled_from(FIGURES))
    data = copy.deepcopy(PROFILES[name])
    figure = at(data, path)
    field = draw(st.sampled_from(sorted(figure)))
    key = (*path, field)
    kind = draw(st.sampled_from(["wrong", "missing", "unknown", "misspelt"]))
    if kind == "wrong":
        wrong = draw(WRONG.get(field, WRONG["value"]))
        if isinstance(figure[field], bool) and isinstance(wrong, bool):
            wrong = 1
        # an exponent and the lowest potential may be any integer
        if wrong == -(2**40) and ("exponent" in path[-1] or path[-1] == "potential_min"):
            wrong = "0"
        figure[field] = wrong
    elif kind == "missing":
        del figure[field]
    elif kind == "unknown":
        key = (*path, "unit")
        figure["unit"] = "bytes"
    else:
        figure[field + "s"] = figure.pop(field)
    return data, ".".join(map(str, key))


@settings(max_examples=400, deadline=None)
@given(mutations())
def test_every_mutation_is_caught_with_its_key(mutation):
    data, key = mutation
    # what is wrong with the values of a list together is said of the figure
    keys = (key, key.removesuffix(".values"))
    named = [found for found, _ in mistakes(data)]
    assert any(found in keys or found.startswith(f"{key}.") for found in named), named


@pytest.mark.parametrize("name", available_targets())
def test_every_section_that_must_be_there_is_missed_by_name(name):
    optional = {"kind", "dead_cores", "output_axons", "synapse_lists", "synapse_rows", "memory_costs"}
    optional |= {"hop_energy", "multicast"}
    for section in set(PROFILES[name]) - optional:
        data = {key: value for key, value in PROFILES[name].items() if key != section}
        assert (section, "Field required") in mistakes(data)


FIGURE_LINE = re.compile(r"^(value|status|source) = ")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([name for name in available_targets() if name != "speck"]), st.data())
def test_problems_name_the_line(name, data):
    """A line of a figure becomes a wrong one: that line is named, and the table that it stands in."""
    lines = profile_text(name).splitlines()
    index = data.draw(st.sampled_from([number for number, line in enumerate(lines) if FIGURE_LINE.match(line)]))
    field = lines[index].split(" = ")[0]
    lines[index] = f"{field} = 1.5" if data.draw(st.booleans()) else f"{field} = [\n1.5,\n]"
    table = next(line for line in reversed(lines[:index]) if line.startswith("["))
    problems = profile_problems("\n".join(lines))
    assert (f"{table.strip('[]')}.{field}", index + 1) in [(problem.key, problem.line) for problem in problems]


LISTED = """
[[mesh.dead_cores]]
chip = 1
x = 0
y = 0
slot = 1
status = "assumed"
source = "test of the board"

[[mesh.dead_cores]]
chip = 1
x = 8
y = 0
slot = 1
status = "assumed"
source = "test of the board"

[[mesh.dead_cores]]
chip = 1
x = 0
y = 0
slot = 1
status = "assumed"
source = "test of the board"
"""


def with_listed_cores():
    """Loihi with three dead cores: the second lies outside of the mesh, the third is the first."""
    before, after = profile_text("loihi").split("[core_limits.compartments]")
    start = before.count("\n")
    return f"{before}{LISTED}\n[core_limits.compartments]{after}", start


def test_contradictions_name_key_and_line():
    text, start = with_listed_cores()
    found = [(problem.key, problem.line, problem.message) for problem in profile_problems(text)]
    assert found == [
        ("mesh.dead_cores.1.x", start + 12, "8 is outside of 0 to 7"),
        ("mesh.dead_cores.2", start + 18, "the same core stands above"),
    ]


def no_cores_left(count):
    data = copy.deepcopy(PROFILES["truenorth"])
    data["mesh"]["routers_x"]["value"] = data["mesh"]["routers_y"]["value"] = 2
    sites = [(x, y) for x in range(2) for y in range(2)][:count]
    data["mesh"]["reserved_cores"] = [
        {"x": x, "y": y, "slot": 0, "status": "assumed", "source": "test"} for x, y in sites
    ]
    return mistakes(data)


def test_a_chip_without_usable_cores_is_refused():
    assert no_cores_left(3) == []
    assert no_cores_left(4) == [("mesh.dead_cores", "no core is left that may be used")]


def test_missing_keys_have_the_line_of_their_table():
    text = profile_text("loihi").replace('[mesh.chips]\nvalue = 768\n', "[mesh.chips]\n")
    line = text[: text.index("[mesh.chips]")].count("\n") + 1
    assert [(item.key, item.line) for item in profile_problems(text)] == [("mesh.chips.value", line)]
    assert {item.line for item in profile_problems("")} == {1}


def test_text_that_is_no_toml_has_the_line_of_the_parser():
    problems = profile_problems(profile_text("loihi").replace("[mesh.routers_x]", "[mesh.routers_x", 1))
    assert len(problems) == 1
    line = profile_text("loihi").splitlines().index("[mesh.routers_x]") + 1
    assert (problems[0].key, problems[0].line) == ("", line)


def test_line_of_a_key_in_a_long_list():
    """3000 dead cores, one of them wrong."""
    entry = '[[mesh.dead_cores]]\nchip = {}\nx = {}\ny = 0\nslot = 0\nstatus = "assumed"\nsource = "test"\n'
    sites = [(chip, x) for chip in range(375) for x in range(8)]
    sites[2998] = (374, 9)
    before, after = profile_text("loihi").split("[core_limits.compartments]")
    text = before + "".join(entry.format(*site) for site in sites) + "[core_limits.compartments]" + after
    line = before.count("\n") + 2998 * 7 + 3
    assert [(item.key, item.line) for item in profile_problems(text)] == [("mesh.dead_cores.2998.x", line)]


def test_unknown_kind():
    assert mistakes({"kind": "quantum"})[0][0] == "kind"
    assert mistakes({"kind": ["analog"]})[0][0] == "kind"


@pytest.mark.parametrize("name", available_targets())
def test_valid_profiles_have_no_problems(name):
    assert profile_problems(profile_text(name)) == []


def test_lines_of_keys_by_hand():
    lines = TomlLines('a = 1\nb = """\nc = 2\n"""\n\n[t]\nc = [\n  1,\n]\n[[l]]\nx = 1\n[[l]]\nx = 2\ny = {z = 3}\n')
    wanted = {"a": 1, "b": 2, "t": 6, "t.c": 7, "l": 10, "l.0.x": 11, "l.1": 12, "l.1.x": 13, "l.1.y.z": 14}
    assert {key: lines.line_of(key) for key in wanted} == wanted
    assert (lines.line_of("t.missing"), lines.line_of("l.1.y.none"), lines.line_of("missing")) == (6, 14, 1)


def test_committed_schema_is_current():
    """Written by `nmdeploy targets schema`."""
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(profile_schema()))


@settings(max_examples=60, deadline=None)
@given(mutations())
def test_schema_refuses_what_the_data_model_refuses(mutation):
    """But for contradictions between keys, which no schema can tell."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    data, key = mutation
    assert not validator.is_valid(data) or key.endswith("values")
    for valid in PROFILES.values():
        assert validator.is_valid(valid)
