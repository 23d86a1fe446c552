"""`nmdeploy energy --paper`: a published comparison with each assumption on its line, and where it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

import typer
from rich.table import Table

from nmdeploy.check.formats.markdown_table import escaped, table_row
from nmdeploy.cli.console import print_json, stdout_console
from nmdeploy.energy.paper_audit import PaperAudit, PaperSection, PaperStep
from nmdeploy.energy.spiking_yolo_paper import spiking_yolo_audit
from nmdeploy.energy.tiny_yolo import ConvolutionMacs
from nmdeploy.errors import NmdeployError

CONVOLUTION_HEADINGS = ("layer", "input", "output", "kernel", "MAC, padding counted", "MAC")
STEP_HEADINGS = ("assumption", "arithmetic", "value", "status, source", "where it breaks")


class Paper(str, Enum):
    """Papers whose comparison is taken apart."""

    spiking_yolo = "spiking-yolo"


AUDITS: dict[Paper, Callable[[], PaperAudit]] = {Paper.spiking_yolo: spiking_yolo_audit}


def refuse_beside_paper(context: typer.Context) -> None:
    """Refuse what the figures of a paper do not depend on: an artifact, and all options but the format.

    Raises
    ------
    NmdeployError
        Names what is given.
    """
    meaningless = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name != "DEFAULT" and not {"--paper", "--format"} & set(parameter.opts):
            meaningless.append(parameter.opts[-1])
    if meaningless:
        raise NmdeployError(
            f"--paper is about published figures: it takes --format alone, not {', '.join(meaningless)}"
        )


def print_paper(paper: Paper, output_format: str) -> None:
    """Print the audit of a paper.

    Parameters
    ----------
    paper : Paper
    output_format : {"table", "json", "md"}

    Raises
    ------
    NmdeployError
        Another format.
    """
    if output_format == "csv":
        raise NmdeployError("--paper prints table, json or md: its lines are no rows of one table")
    audit = AUDITS[paper]()
    if output_format == "json":
        print_json(audit.as_dict())
    elif output_format == "md":
        print("\n".join(_markdown(audit)))
    else:
        _print_tables(audit)


def _print_tables(audit: PaperAudit) -> None:
    console = stdout_console()
    console.print(f"{audit.paper}: its energy comparison, computed anew\n")
    console.print(_convolution_table(audit))
    for section in audit.sections:
        console.print(_step_table(audit, section))
    for number, source in enumerate(audit.sources, start=1):
        console.print(f"[{number}] {source}", markup=False)
    console.print()
    for conclusion in audit.conclusions:
        console.print(conclusion)


def _convolution_table(audit: PaperAudit) -> Table:
    table = Table(title=audit.network, title_justify="left")
    for index, heading in enumerate(CONVOLUTION_HEADINGS):
        table.add_column(heading, justify="right" if index else "left")
    for convolution in audit.convolutions:
        table.add_row(*_convolution_cells(convolution))
    return table


def _step_table(audit: PaperAudit, section: PaperSection) -> Table:
    table = Table(title=f"\n{section.title}", title_justify="left", show_lines=True, width=120)
    for heading, ratio in zip(STEP_HEADINGS, (7, 7, 4, 4, 8), strict=True):
        table.add_column(heading, justify="right" if heading == "value" else "left", ratio=ratio)
    for step in section.steps:
        table.add_row(*(cell.replace("[", r"\[") for cell in _step_cells(audit, step)))
    return table


def _markdown(audit: PaperAudit) -> Iterator[str]:
    yield f"### {audit.paper}: its energy comparison, computed anew"
    yield f"\n{audit.network}\n"
    yield from _markdown_table(CONVOLUTION_HEADINGS, [_convolution_cells(one) for one in audit.convolutions])
    for section in audit.sections:
        yield f"\n**{section.title}**\n"
        yield from _markdown_table(STEP_HEADINGS, [_step_cells(audit, step) for step in section.steps])
    yield ""
    for number, source in enumerate(audit.sources, start=1):
        yield f"- [{number}] {source}"
    yield ""
    yield "\n\n".join(audit.conclusions)


def _markdown_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield table_row(*headings)
    yield "|---" * len(headings) + "|"
    for row in rows:
        yield table_row(*map(escaped, row))


def _convolution_cells(convolution: ConvolutionMacs) -> tuple[str, ...]:
    shapes = ("x".join(map(str, shape)) for shape in (convolution.input_shape, convolution.output_shape))
    kernel = f"{convolution.kernel}x{convolution.kernel}"
    macs = (convolution.padded_dense_macs, convolution.border_aware_macs)
    return convolution.name, *shapes, kernel, *(f"{count:,}" for count in macs)


def _step_cells(audit: PaperAudit, step: PaperStep) -> tuple[str, ...]:
    source = f"{step.status} [{audit.sources.index(step.source) + 1}]"
    return step.assumption, step.formula, f"{_number(step.value)} {step.unit}".strip(), source, step.problem


def _number(value: float) -> str:
    """Exact counts in full, all else with five digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"
