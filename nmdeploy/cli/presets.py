"""`nmdeploy presets`: the energy presets, with the source of every one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from hw_profiles.energy import EVENT_KINDS, energy_presets, load_preset
from nmdeploy.cli.console import key_value_table, print_json, stdout_console


def presets_command(
    name: Annotated[str | None, typer.Argument(help="A preset, or path of a .toml file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the energy presets of `energy`, or show one with its source."""
    chosen = list(energy_presets().values()) if name is None else [load_preset(name)]
    if as_json:
        print_json({preset.name: {**preset.model_dump(), "left_out": preset.left_out} for preset in chosen})
        return
    if name is None:
        table = Table(title="nmdeploy presets: picojoule an event", title_justify="left")
        for heading in ("name", "scope", "accumulate", "multiply-accumulate", "update", "node", "status"):
            table.add_column(heading, overflow="fold")
        for preset in chosen:
            prices = (preset.energy_pj.get(kind) for kind in ("accumulate", "multiply_accumulate", "neuron_update"))
            cells = ("" if price is None else f"{price:g}" for price in prices)
            table.add_row(preset.name, preset.scope, *cells, preset.node, preset.status)
        stdout_console().print(table)
        return
    (preset,) = chosen
    rows = [("title", preset.title), ("scope", preset.scope), ("of targets", ", ".join(preset.targets) or "any")]
    for kind in EVENT_KINDS:
        without = "contained" if kind in preset.contained else "none"
        price = f"{preset.energy_pj[kind]:g}" if kind in preset.energy_pj else without
        rows.append((f"{kind.replace('_', ' ')}, pJ", price))
    if preset.memory is not None:
        sizes = ", ".join(f"{size:g} B: {energy:g}" for size, energy in preset.memory.access_pj)
        rows.append(("memory access by size, pJ", sizes))
        rows.append(("bytes of a value", str(preset.memory.value_bytes)))
        rows.append(("messages of a queue", str(preset.memory.queue_values)))
    if preset.static is not None:
        rows.append(("static power of a chip, mW", f"{preset.static.chip_mw:g}"))
        rows.append(("duration of a step, us", f"{preset.static.step_us:g}"))
    rows += [("node", preset.node), ("includes", preset.includes), ("leaves out", preset.left_out)]
    rows += [("status", preset.status), ("source", preset.source)]
    stdout_console().print(key_value_table(preset.name, rows))
