"""The energy report as tables: for a terminal, as Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from hw_profiles.energy import EVENT_KINDS, EnergyPreset
from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.energy_document import ENERGY
from nmdeploy.check.formats.markdown_table import escaped, table_row
from nmdeploy.cli.energy_options import Grouping
from nmdeploy.energy.comparison import FormatComparison
from nmdeploy.energy.report import NOTE, EnergyReport, EnergyRow


@dataclass(frozen=True)
class EnergyTable:
    """A table with a title and remarks.

    Attributes
    ----------
    title : str
    columns : tuple of str
        The first one names the row, the others hold numbers.
    rows : tuple of tuple of str
    last_is_total : bool
    remarks : tuple of str
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    last_is_total: bool = False
    remarks: tuple[str, ...] = ()

    def for_terminal(self) -> Table:
        """With the title above."""
        table = Table(title=escape(self.title), title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows[:-1] if self.last_is_total else self.rows:
            table.add_row(*map(escape, row))
        if self.last_is_total:
            table.add_section()
            table.add_row(*map(escape, self.rows[-1]), style="bold")
        return table

    def as_markdown(self) -> str:
        """With the title above and the remarks below."""
        lines = [escaped(self.title.replace("\n", "; ")), "", table_row(*self.columns)]
        lines.append("|---" + "|---:" * (len(self.columns) - 1) + "|")
        lines += [table_row(*map(escaped, row)) for row in self.rows]
        return "\n".join([*lines, *(f"\n{escaped(remark)}" for remark in self.remarks), ""])


@dataclass(frozen=True)
class EnergyResult:
    """All that `nmdeploy energy` has found.

    Attributes
    ----------
    report : EnergyReport
    comparisons : tuple of FormatComparison
    by_preset : tuple of EnergyReport
        The same counts under all presets that fit the target.
    windows : tuple of EnergyPoint
    source, target : str
        Where the samples were read, and the profile that the network was compiled for.
    network_sha256 : str
        Of the artifact's network.
    """

    report: EnergyReport
    comparisons: tuple[FormatComparison, ...]
    by_preset: tuple[EnergyReport, ...]
    windows: tuple[EnergyPoint, ...]
    source: str
    target: str
    network_sha256: str


def to_document(result: EnergyResult, grouping: Grouping, top: int | None) -> dict[str, object]:
    """For JSON; with `top`, the rows of `grouping` are the ones with most energy."""
    document = {**ENERGY.head(result.network_sha256), **result.report.as_dict()}
    if top is not None:
        name = grouping.value if grouping in (Grouping.core, Grouping.chip) else "name"
        rows = rows_of(result.report, grouping, top)
        document[f"{grouping.value}s"] = [{name: row.name, **row.as_dict()} for row in rows]
    if grouping is Grouping.tile and top is None:
        document["tiles"] = [{"name": row.name, **row.as_dict()} for row in result.report.tiles]
    document["comparisons"] = [one.as_dict() for one in result.comparisons]
    document["presets"] = [
        {
            "preset": one.preset.name,
            "scope": one.preset.scope,
            "energy_pj": one.total.energy_pj,
            "float_energy_pj": one.float_network.energy_pj,
        }
        for one in result.by_preset
    ]
    document["source"] = result.source
    document["windows"] = [point.as_dict() for point in result.windows]
    return document


def all_tables(result: EnergyResult, grouping: Grouping, top: int | None) -> list[EnergyTable]:
    """What is printed, in order."""
    tables = [energy_table(result.report, grouping, top, result.source, result.target)]
    tables.append(comparison_table(result.report, result.comparisons))
    tables.append(sensitivity_table(list(result.by_preset)))
    if result.windows:
        tables.append(curve_table(list(result.windows), result.report.preset))
    return tables


def rows_of(report: EnergyReport, grouping: Grouping, top: int | None) -> tuple[EnergyRow, ...]:
    """Rows in their order, or the `top` ones by energy, largest first."""
    rows = {
        Grouping.layer: report.layers,
        Grouping.core: report.cores,
        Grouping.chip: report.chips,
        Grouping.projection: report.projections,
        Grouping.tile: report.tiles,
    }[grouping]
    return rows if top is None else tuple(sorted(rows, key=lambda row: -row.energy_pj)[:top])


def energy_table(
    report: EnergyReport, grouping: Grouping, top: int | None, source: str, target: str
) -> EnergyTable:
    """Operations and energy of layers, cores, chips or projections, with the total."""
    rows = rows_of(report, grouping, top)
    shown = [*rows, report.total]
    columns: dict[str, Callable[[EnergyRow], str]] = {
        "AC": lambda row: f"{row.ac:,.1f}",
        "MAC": lambda row: f"{row.mac:,.1f}",
        "spikes": lambda row: f"{row.events['spike']:,.1f}",
        "updates": lambda row: f"{row.events['neuron_update']:,.1f}",
        "messages": lambda row: f"{row.events['message']:,.1f}",
        "hops": lambda row: f"{row.events['hop_x'] + row.events['hop_y']:,.1f}",
        "pJ": lambda row: f"{row.energy_pj:,.1f}",
        "share": lambda row: f"{row.energy_pj / (report.total.energy_pj or 1):.1%}",
    }
    if grouping is Grouping.projection:
        columns = {name: columns[name] for name in ("AC", "MAC", "pJ", "share")}
    counts = report.counts
    read_out = f", read out from step {counts.read_out_step}" if counts.read_out_step else ""
    title = (
        f"Energy per inference, ESTIMATE, preset {report.preset.name} ({_figures(report.preset)})\n"
        f"T = {report.timesteps}{read_out}, latency {counts.latency_steps} steps; mean over {report.samples} samples of"
        f" {source}; {report.counting} synapses, input {report.input_convention}"
    )
    if top is not None:
        title += f"; the {len(rows)} with most energy"
    remarks = [*_float_remarks(report), *preset_remarks(report.preset), *_doubts(report, target), NOTE]
    return EnergyTable(
        title,
        (grouping.value, *columns),
        tuple((row.name, *(cell(row) for cell in columns.values())) for row in shown),
        last_is_total=True,
        remarks=tuple(remarks),
    )


def comparison_table(report: EnergyReport, comparisons: tuple[FormatComparison, ...]) -> EnergyTable:
    """The same network without spikes, in several number formats."""
    rows = [
        (
            one.number_format.name,
            f"{one.spiking_pj:,.0f}",
            f"{one.trained_pj:,.0f}",
            _ratio(one.ratio),
            f"{one.spiking_with_memory_pj:,.0f}",
            f"{one.trained_with_memory_pj:,.0f}",
            _ratio(one.ratio_with_memory),
            f"{one.number_format.break_even:.3g}",
        )
        for one in comparisons
    ]
    return EnergyTable(
        f"The same network without spikes, both in one number format, ESTIMATE; T = {report.timesteps}",
        ("format", "spiking pJ", "trained pJ", "ratio", "with memory", "trained", "ratio", "break-even"),
        tuple(rows),
        remarks=(
            "A ratio below 1 means that the spiking network takes more. Break-even: spikes a synapse may carry in one "
            "inference until its accumulates cost as much as one multiply-accumulate; here it carries "
            f"{report.spikes_per_synapse:.3g}. Arithmetic of Horowitz, ISSCC 2014, at 45 nm; with memory: and preset "
            "lemaire2022's memories and addresses, potentials of 32 bits. Additions, poolings and maxima of the "
            "trained network are not counted.",
        ),
    )


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def sensitivity_table(reports: list[EnergyReport]) -> EnergyTable:
    """The same counts under several presets."""
    rows = []
    for report in reports:
        trained, spiking = report.float_network.energy_pj, report.total.energy_pj
        rows.append(
            (
                report.preset.name,
                report.preset.scope,
                f"{spiking:,.0f}",
                "" if trained is None else f"{trained:,.0f}",
                "" if trained is None or not spiking else f"{trained / spiking:.3g}",
                report.preset.status,
            )
        )
    return EnergyTable(
        "The same counts under all presets that fit, ESTIMATE",
        ("preset", "scope", "spiking pJ", "trained pJ", "trained / spiking", "status"),
        tuple(rows),
        remarks=(
            "What each preset includes and leaves out: nmdeploy presets NAME. A chip's stand beside no arithmetic.",
        ),
    )


def curve_table(points: list[EnergyPoint], preset: EnergyPreset) -> EnergyTable:
    """Energy, accuracy and latency of windows."""

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.2%}"

    return EnergyTable(
        f"Energy, accuracy and latency over T, ESTIMATE, preset {preset.name}; the network as compiled, not anew",
        ("T", "latency", "accuracy", "agreement", "error", "spikes", "pJ", "Pareto"),
        tuple(
            (
                str(point.timesteps),
                str(point.latency_steps),
                share(point.accuracy),
                share(point.agreement),
                "" if point.error is None else f"{point.error:.4f}",
                f"{point.spikes:,.0f}",
                f"{point.energy_pj:,.0f}",
                "yes" if point.is_pareto else "",
            )
            for point in points
        ),
        remarks=(
            "Error: of the outputs, relative to the trained network's. Pareto: no other is as good in accuracy (or "
            f"agreement, or error where there is none), energy and latency. {preset.remark}.",
        ),
    )


def as_csv(report: EnergyReport, grouping: Grouping, top: int | None) -> str:
    """Rows and total with all kinds of events and their energies; every row says of what it is an estimate."""
    kinds = list(report.total.energy_by_kind_pj)
    counts = report.counts
    same = {
        "status": "estimate",
        "preset": report.preset.name,
        "leaves_out": report.preset.left_out,
        "samples": report.samples,
        "timesteps": report.timesteps,
        "latency_steps": counts.latency_steps,
        "read_out_step": counts.read_out_step,
        "synapses": report.counting,
        "input": report.input_convention,
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    energies = [f"{kind} pJ".replace(" ", "_") for kind in kinds]
    writer.writerow([grouping.value, *EVENT_KINDS, *energies, "energy_pj", *same])
    for row in (*rows_of(report, grouping, top), report.total):
        events = [row.events[kind] for kind in EVENT_KINDS]
        by_kind = [row.energy_by_kind_pj.get(kind, 0.0) for kind in kinds]
        writer.writerow([row.name, *events, *by_kind, row.energy_pj, *same.values()])
    return text.getvalue()


def preset_remarks(preset: EnergyPreset) -> list[str]:
    """Where the figures come from, and what they leave out."""
    return [
        f"preset {preset.name}: {preset.source} ({preset.status}; {preset.node})",
        f"includes: {preset.includes}",
        f"leaves out: {preset.left_out}",
    ]


def _doubts(report: EnergyReport, target: str) -> list[str]:
    """Where a preset is used beyond what its figures are of."""
    preset, found = report.preset, []
    if preset.targets and target not in preset.targets:
        found.append(f"preset {preset.name} is of {', '.join(preset.targets)}; this network was compiled for {target}")
    if preset.firing_rate_hz is not None:
        found.append(
            f"preset {preset.name} holds at {preset.firing_rate_hz:g} Hz; neurons here fire at "
            f"{report.firing_rate_hz:.3g} Hz, in steps of 1 ms"
        )
    return found


def _figures(preset: EnergyPreset) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {energy:g} pJ" for kind, energy in preset.energy_pj.items())


def _float_remarks(report: EnergyReport) -> list[str]:
    trained, spiking = report.float_network, report.total.energy_pj
    if trained.energy_pj is None:
        return [f"trained network: {trained.mac:,.0f} MAC; a preset of a chip has no energy for it"]
    lines = [f"trained network, same preset: {trained.mac:,.0f} MAC, {trained.energy_pj:,.0f} pJ"]
    if not spiking or not trained.energy_pj:
        return [*lines, "under this preset one of the networks takes no energy"]
    ratio = trained.energy_pj / spiking
    said = (
        f"the trained network takes {ratio:.3g} times the energy of the spiking one"
        if ratio >= 1
        else f"the spiking network takes {1 / ratio:.3g} times the energy of the trained one"
    )
    return [*lines, f"{said} ({report.preset.scope} only, all {report.timesteps} steps)"]
