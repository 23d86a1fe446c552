"""The energy report as tables: for a terminal, as Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table

from hw_profiles.energy import EVENT_KINDS, EnergyPreset
from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.energy_document import ENERGY
from nmdeploy.cli.energy_options import Grouping
from nmdeploy.energy.comparison import Comparison
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
        table = Table(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows[:-1] if self.last_is_total else self.rows:
            table.add_row(*row)
        if self.last_is_total:
            table.add_section()
            table.add_row(*self.rows[-1], style="bold")
        return table

    def as_markdown(self) -> str:
        """With the title above and the remarks below."""
        lines = [self.title.replace("\n", "; "), "", "| " + " | ".join(self.columns) + " |"]
        lines.append("|---" + "|---:" * (len(self.columns) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, *(f"\n{remark}" for remark in self.remarks), ""])


@dataclass(frozen=True)
class EnergyResult:
    """All that `nmdeploy energy` has found.

    Attributes
    ----------
    report : EnergyReport
    comparison : Comparison or None
    by_preset : tuple of EnergyReport
        The same counts under all presets that fit the target.
    windows : tuple of EnergyPoint
    network_sha256 : str
        Of the artifact's network.
    """

    report: EnergyReport
    comparison: Comparison | None
    by_preset: tuple[EnergyReport, ...]
    windows: tuple[EnergyPoint, ...]
    network_sha256: str


def to_document(result: EnergyResult, grouping: Grouping, top: int | None) -> dict[str, object]:
    """For JSON; with `top`, the rows of `grouping` are the ones with most energy."""
    document = {**ENERGY.head(result.network_sha256), **result.report.as_dict()}
    if top is not None:
        name = grouping.value if grouping in (Grouping.core, Grouping.chip) else "name"
        rows = rows_of(result.report, grouping, top)
        document[f"{grouping.value}s"] = [{name: row.name, **row.as_dict()} for row in rows]
    document["comparison"] = None if result.comparison is None else result.comparison.as_dict()
    document["presets"] = [
        {
            "preset": one.preset.name,
            "scope": one.preset.scope,
            "energy_pj": one.total.energy_pj,
            "float_energy_pj": one.float_network.energy_pj,
        }
        for one in result.by_preset
    ]
    document["windows"] = [point.as_dict() for point in result.windows]
    return document


def all_tables(result: EnergyResult, grouping: Grouping, top: int | None, source: str) -> list[EnergyTable]:
    """What is printed, in order."""
    tables = [energy_table(result.report, grouping, top, source)]
    if result.comparison is not None:
        tables.append(comparison_table(result.comparison))
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
    }[grouping]
    return rows if top is None else tuple(sorted(rows, key=lambda row: -row.energy_pj)[:top])


def energy_table(report: EnergyReport, grouping: Grouping, top: int | None, source: str) -> EnergyTable:
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
    remarks = [*_float_remarks(report), *preset_remarks(report.preset), NOTE]
    return EnergyTable(
        title,
        (grouping.value, *columns),
        tuple((row.name, *(cell(row) for cell in columns.values())) for row in shown),
        last_is_total=True,
        remarks=tuple(remarks),
    )


def comparison_table(comparison: Comparison) -> EnergyTable:
    """The same network without spikes."""
    spiking = (f"spiking, T = {comparison.timesteps}", "", f"{comparison.spiking_pj:,.0f}", "1",
               f"{comparison.spiking_with_memory_pj:,.0f}", "1", "")  # fmt: skip
    rows = [
        (
            baseline.name,
            f"{baseline.mac_pj:.3g}",
            f"{baseline.energy_pj:,.0f}",
            f"{baseline.ratio:.3g}",
            f"{baseline.energy_with_memory_pj:,.0f}",
            f"{baseline.ratio_with_memory:.3g}",
            f"{baseline.break_even:.3g}",
        )
        for baseline in comparison.baselines
    ]
    return EnergyTable(
        f"The same network without spikes, ESTIMATE; spiking arithmetic by preset {comparison.preset.name}",
        ("network", "MAC pJ", "arithmetic pJ", "/ spiking", "with memory pJ", "/ spiking", "break-even"),
        (spiking, *rows),
        remarks=(
            f"A ratio below 1 means that the spiking network takes more. Break-even: spikes a synapse may carry in one "
            f"inference until its accumulates cost as much as a multiply-accumulate; here it carries "
            f"{comparison.spikes_per_synapse:.3g}. With memory: preset lemaire2022, 8-bit weights, 32-bit potentials.",
        ),
    )


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
        "The same counts under other presets, ESTIMATE",
        ("preset", "scope", "spiking pJ", "trained pJ", "trained / spiking", "status"),
        tuple(rows),
        remarks=("Figures of a chip contain control and memory; they stand beside no arithmetic.",),
    )


def curve_table(points: list[EnergyPoint], preset: EnergyPreset) -> EnergyTable:
    """Energy, accuracy and latency of windows."""

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.2%}"

    return EnergyTable(
        f"Energy, accuracy and latency over T, ESTIMATE, preset {preset.name}; the network as compiled, not anew",
        ("T", "latency", "accuracy", "agreement", "spikes", "pJ", "Pareto"),
        tuple(
            (
                str(point.timesteps),
                str(point.latency_steps),
                share(point.accuracy),
                share(point.agreement),
                f"{point.spikes:,.0f}",
                f"{point.energy_pj:,.0f}",
                "yes" if point.is_pareto else "",
            )
            for point in points
        ),
    )


def as_csv(report: EnergyReport, grouping: Grouping, top: int | None) -> str:
    """Rows and total with all kinds of events, and their energies."""
    kinds = list(report.total.energy_by_kind_pj)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([grouping.value, *EVENT_KINDS, *(f"{kind} pJ".replace(" ", "_") for kind in kinds), "energy_pj"])
    for row in (*rows_of(report, grouping, top), report.total):
        events = [row.events[kind] for kind in EVENT_KINDS]
        energies = [row.energy_by_kind_pj.get(kind, 0.0) for kind in kinds]
        writer.writerow([row.name, *events, *energies, row.energy_pj])
    return text.getvalue()


def preset_remarks(preset: EnergyPreset) -> list[str]:
    """Where the figures come from, and what they leave out."""
    return [
        f"preset {preset.name}: {preset.source} ({preset.status}; {preset.node})",
        f"includes: {preset.includes}",
        f"leaves out: {preset.left_out}",
    ]


def _figures(preset: EnergyPreset) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {energy:g} pJ" for kind, energy in preset.energy_pj.items())


def _float_remarks(report: EnergyReport) -> list[str]:
    trained, spiking = report.float_network, report.total.energy_pj
    if trained.energy_pj is None:
        return [f"trained network: {trained.mac:,.0f} MAC; a preset of a chip has no energy for it"]
    lines = [f"trained network, same preset: {trained.mac:,.0f} MAC, {trained.energy_pj:,.0f} pJ"]
    if not spiking or not trained.energy_pj:
        return [*lines, "one of the networks does no operation"]
    ratio = trained.energy_pj / spiking
    said = (
        f"the trained network takes {ratio:.3g} times the energy of the spiking one"
        if ratio >= 1
        else f"the spiking network takes {1 / ratio:.3g} times the energy of the trained one"
    )
    return [*lines, f"{said} ({report.preset.scope} only, all {report.timesteps} steps)"]
