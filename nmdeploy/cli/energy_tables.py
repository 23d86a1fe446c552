"""The energy report as tables for people."""

from __future__ import annotations

from collections.abc import Callable

from hw_profiles.energy import EnergyPreset
from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.cli.energy_options import Grouping
from nmdeploy.cli.energy_result import EnergyResult, rows_of
from nmdeploy.cli.printed_table import PrintedTable
from nmdeploy.energy.comparison import FormatComparison
from nmdeploy.energy.report import NOTE, EnergyReport, EnergyRow


def all_tables(result: EnergyResult, grouping: Grouping, top: int | None) -> list[PrintedTable]:
    """What is printed, in order."""
    tables = [
        energy_table(result.report, grouping, top, result.source, result.target),
        comparison_table(result.report, result.comparisons),
        preset_table(result.by_preset),
    ]
    if result.windows:
        tables.append(window_table(result.windows, result.report.preset))
    return tables


def energy_table(
    report: EnergyReport, grouping: Grouping, top: int | None, source: str, target: str
) -> PrintedTable:
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
    return PrintedTable(
        title,
        (grouping.value, *columns),
        tuple((row.name, *(cell(row) for cell in columns.values())) for row in shown),
        last_is_total=True,
        remarks=tuple(remarks),
    )


def comparison_table(report: EnergyReport, comparisons: tuple[FormatComparison, ...]) -> PrintedTable:
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
    return PrintedTable(
        f"The same network without spikes, both in one number format, ESTIMATE; T = {report.timesteps}",
        ("format", "spiking pJ", "trained pJ", "ratio", "with memory", "trained", "ratio", "break-even"),
        tuple(rows),
        remarks=(
            "A ratio below 1 means that the spiking network takes more. Break-even: spikes a synapse may carry in one "
            "inference until its accumulates cost as much as one multiply-accumulate; here it carries "
            f"{report.spikes_per_synapse:.3g}. Arithmetic of Horowitz, ISSCC 2014, at 45 nm; with memory: and preset "
            "lemaire2022's memories and addresses, potentials of 32 bits. Additions, poolings and maxima of the "
            "trained network are not counted; left out: control, network on chip, static power.",
        ),
    )


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def preset_table(reports: tuple[EnergyReport, ...]) -> PrintedTable:
    """The same counts under several presets, and what each leaves out."""
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
    return PrintedTable(
        "The same counts under all presets that fit, ESTIMATE",
        ("preset", "scope", "spiking pJ", "trained pJ", "trained / spiking", "status"),
        tuple(rows),
        remarks=(
            "A chip's figures stand beside no arithmetic.",
            *(f"{report.preset.name} leaves out: {report.preset.left_out}" for report in reports),
        ),
    )


def window_table(points: tuple[EnergyPoint, ...], preset: EnergyPreset) -> PrintedTable:
    """Energy, accuracy and latency of windows."""

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.2%}"

    return PrintedTable(
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
