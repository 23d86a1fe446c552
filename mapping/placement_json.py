"""Placements as JSON text, one core a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, NoReturn

from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import CrossbarDemands, Demands, Interval, Tile

FORMAT_VERSION = 2
FIRST_CORE_LINE = 2
"""Line, from 1, on which `placement_to_json` writes the first core; each takes one line."""


def placement_to_json(placement: Placement) -> str:
    """Write a placement as JSON.

    Returns
    -------
    str
        The first line opens the document, then each core takes one line; the same text for the same
        placement.
    """
    lines = ",\n".join(json.dumps(_core_as_dict(core), separators=(",", ":")) for core in placement.cores)
    return f'{{"format": {FORMAT_VERSION}, "cores": [\n{lines}\n]}}\n'


def placement_from_json(text: str) -> Placement:
    """Read a placement from JSON.

    Raises
    ------
    ValueError
        The text is no JSON, or not of the form that `placement_to_json` writes; says which line.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"placement, line {error.lineno}: not valid JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise ValueError(f"placement, line 1: not readable as JSON: {error}") from error
    if not isinstance(document, dict) or set(document) != {"format", "cores"}:
        raise ValueError('placement, line 1: expected an object with the fields "format" and "cores"')
    if document["format"] != FORMAT_VERSION or isinstance(document["format"], bool):
        raise ValueError(f"placement, line 1: format is {document['format']!r}, expected {FORMAT_VERSION}")
    if not isinstance(document["cores"], list):
        raise ValueError('placement, line 1: "cores" must be a list')
    cores = []
    for index, value in enumerate(document["cores"]):
        try:
            cores.append(_core(value))
        except _FieldError as error:
            line = _line_of_core(text, index)
            raise ValueError(f"placement, line {line} (core record {index}): {error}") from error
    return Placement(tuple(cores))


class _FieldError(Exception):
    """A value of a core record is not what it must be."""


def _fail(what: str, expected: str, value: object) -> NoReturn:
    shown = repr(value)
    raise _FieldError(f"{what} must be {expected}, not {shown if len(shown) <= 60 else shown[:60] + '...'}")


def _core_as_dict(core: CoreRecord) -> dict[str, Any]:
    return {
        "address": _address_as_list(core.address),
        "tiles": [[tile.population, *map(list, (tile.channels, tile.rows, tile.columns))] for tile in core.tiles],
        "targets": [_address_as_list(target) for target in core.targets],
        "demands": asdict(core.demands),
    }


def _address_as_list(address: CoreAddress) -> list[int]:
    return [address.chip, address.x, address.y, address.slot]


def _core(value: object) -> CoreRecord:
    record = _record(value, "core record", {"address", "tiles", "targets", "demands"})
    return CoreRecord(
        address=_address(record["address"]),
        tiles=_tuple(record["tiles"], "tiles", _tile),
        targets=_tuple(record["targets"], "targets", _address),
        demands=_demands(record["demands"]),
    )


def _demands(value: object) -> Demands | CrossbarDemands:
    of_crossbar = isinstance(value, dict) and "axons" in value
    kind: type[Demands | CrossbarDemands] = CrossbarDemands if of_crossbar else Demands
    names = {field.name for field in fields(kind)}
    demands = _record(value, "demands", names)
    return kind(**{name: _integer(demands[name], f"demands.{name}") for name in names})


def _record(value: object, what: str, names: set[str]) -> dict[str, object]:
    if not isinstance(value, dict) or set(value) != names:
        _fail(what, "an object with the fields " + ", ".join(sorted(names)), value)
    return value


def _tuple(value: object, what: str, item: Callable[[object], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        _fail(what, "a list", value)
    return tuple(item(entry) for entry in value)


def _tile(value: object) -> Tile:
    if not isinstance(value, list) or len(value) != 4 or not isinstance(value[0], str):
        _fail("tile", "[population, [channels], [rows], [columns]]", value)
    channels, rows, columns = (_interval(part) for part in value[1:])
    return Tile(value[0], channels, rows, columns)


def _interval(value: object) -> Interval:
    if not isinstance(value, list) or len(value) != 2:
        _fail("interval", "[start, stop]", value)
    return _integer(value[0], "start"), _integer(value[1], "stop")


def _address(value: object) -> CoreAddress:
    if not isinstance(value, list) or len(value) != 4:
        _fail("core address", "[chip, x, y, slot]", value)
    return CoreAddress(*(_integer(part, "part of a core address") for part in value))


def _integer(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        _fail(what, "an integer", value)
    return value


def _line_of_core(text: str, index: int) -> int:
    """Line, from 1, on which the core record of this index begins, however the text is laid out."""
    opening = re.search(r'"cores"\s*:\s*\[', text)
    position = opening.end() if opening else 0
    decoder = json.JSONDecoder()
    for preceding in range(index + 1):
        while text[position].isspace() or text[position] == ",":
            position += 1
        if preceding < index:
            _, position = decoder.raw_decode(text, position)
    return text.count("\n", 0, position) + 1
