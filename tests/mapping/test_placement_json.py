"""Placements survive JSON; malformed text is a ValueError that says which line."""

import json
import random

import mapping_networks as networks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_strategies import LOIHI

from mapping.partition import partition
from mapping.place import Placement, place, placement_from_json, placement_to_json

NETWORK = networks.conv_pair((16, 16, 16), (32, 16, 16))
PLACEMENT = place(partition(NETWORK, LOIHI), LOIHI)
TEXT = placement_to_json(PLACEMENT)


def test_round_trip_and_one_core_a_line():
    assert placement_from_json(TEXT) == PLACEMENT
    assert placement_to_json(placement_from_json(TEXT)) == TEXT
    lines = TEXT.splitlines()
    assert len(lines) == len(PLACEMENT.cores) + 2
    for line, core in zip(lines[1:-1], PLACEMENT.cores, strict=True):
        record = json.loads(line.rstrip(","))
        address = core.address
        assert record["address"] == [address.chip, address.x, address.y, address.slot]


def test_no_cores_round_trip():
    assert placement_from_json(placement_to_json(Placement(()))) == Placement(())


def test_other_layout_of_the_same_document_is_read():
    assert placement_from_json(json.dumps(json.loads(TEXT), indent=1)) == PLACEMENT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cores: cores[3].pop("targets"), "line 5 (core record 3): core record must be an object"),
        (lambda cores: cores[2]["tiles"][0].pop(), "line 4 (core record 2): tile must be"),
        (lambda cores: cores[1]["address"].append(0), "line 3 (core record 1): core address must be"),
        (lambda cores: cores[0]["address"].__setitem__(0, "0"), "line 2 (core record 0): part of a core"),
        (lambda cores: cores[0]["address"].__setitem__(0, True), "must be an integer, not True"),
        (lambda cores: cores[0]["demands"].pop("input_axons"), "demands must be an object with the fields"),
        (lambda cores: cores[0]["demands"].update(compartments=1.5), "demands.compartments must be an integer"),
        (lambda cores: cores[0].update(tiles={}), "tiles must be a list"),
        (lambda cores: cores[0].update(extra=1), "core record must be an object with the fields"),
        (lambda cores: cores[0]["tiles"][0].__setitem__(1, [0]), "interval must be [start, stop]"),
        (lambda cores: cores.__setitem__(1, None), "line 3 (core record 1)"),
    ],
)
def test_malformed_record(change, message):
    document = json.loads(TEXT)
    change(document["cores"])
    lines = ",\n".join(json.dumps(core) for core in document["cores"])
    with pytest.raises(ValueError, match=r"placement, line \d+") as caught:
        placement_from_json(f'{{"format": 2, "cores": [\n{lines}\n]}}\n')
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "null",
        '{"format": 2}',
        '{"format": 1, "cores": []}',
        '{"format": true, "cores": []}',
        '{"format": 2, "cores": 3}',
        "[" * 100_000,
        '{"format": 2, "cores": [' + "9" * 10_000 + "]}",
    ],
)
def test_malformed_document(text):
    with pytest.raises(ValueError, match=r"placement, line \d+"):
        placement_from_json(text)


def test_broken_json_names_the_line():
    lines = TEXT.splitlines(keepends=True)
    lines[4] = lines[4].replace(":", ";", 1)
    with pytest.raises(ValueError, match="line 5: not valid JSON"):
        placement_from_json("".join(lines))


PIECES = [*'0-9[]{}",:.eNtrue', "null", "1e9", '"a"']


def parse(text):
    try:
        placement_from_json(text)
    except ValueError as error:
        message = str(error)
        assert message.startswith("placement, line ")


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32))
def test_fuzzed_text_is_read_or_a_value_error(seed):
    generator = random.Random(seed)
    text = TEXT[: generator.randrange(200, len(TEXT))] if generator.random() < 0.3 else TEXT
    for _ in range(generator.randint(1, 4)):
        start = generator.randrange(len(text))
        stop = start + generator.choice([0, 1, 1, 5])
        text = text[:start] + generator.choice(PIECES) + text[stop:]
    parse(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["address", "tiles", "targets", "demands", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(VALUES)
def test_fuzzed_values_are_read_or_a_value_error(value):
    parse(json.dumps(value))
    parse(json.dumps({"format": 2, "cores": value}))
    parse(json.dumps({"format": 2, "cores": [value]}))
