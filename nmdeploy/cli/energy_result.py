"""What `nmdeploy energy` has found, for scripts: as a JSON document and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from hw_profiles.energy import EVENT_KINDS
from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.energy_document import ENERGY
from nmdeploy.cli.energy_options import Grouping
from nmdeploy.energy.comparison import FormatComparison
from nmdeploy.energy.report import EnergyReport, EnergyRow


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
            "left_out": one.preset.left_out,
            "energy_pj": one.total.energy_pj,
            "float_energy_pj": one.float_network.energy_pj,
        }
        for one in result.by_preset
    ]
    document["source"] = result.source
    document["windows"] = [point.as_dict() for point in result.windows]
    return document


def rows_of(report: EnergyReport, grouping: Grouping, top: int | None) -> tuple[EnergyRow, ...]:
    """Rows in their order, or the `top` ones by energy, largest first."""
    rows: tuple[EnergyRow, ...] = getattr(report, f"{grouping.value}s")
    return rows if top is None else tuple(sorted(rows, key=lambda row: -row.energy_pj)[:top])


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
