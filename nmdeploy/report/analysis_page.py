"""The page of `nmdeploy analyze`, and the part of it that a report may have."""

from __future__ import annotations

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.channel_norms import channel_maxima_svg, channel_means_svg
from nmdeploy.analysis.figures.layer_ratios import layer_ratios_svg
from nmdeploy.analysis.figures.over_time import over_time_svg
from nmdeploy.analysis.figures.rate_histograms import rate_histograms_svg
from nmdeploy.analysis.figures.spike_raster import spike_raster_svg
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.report.analysis_tables import channel_table, raster_table, rate_table
from nmdeploy.report.templates import template


def render_analysis_page(analysis: Analysis, artifact: Artifact, title: str, data_name: str) -> str:
    """Render an analysis as one self-contained page.

    Parameters
    ----------
    analysis : Analysis
    artifact : Artifact
        What was analysed.
    title : str
        Usually the name of the artifact.
    data_name : str
        Of the data file.

    Returns
    -------
    str
        HTML; equal for equal arguments.
    """
    return template("analysis_page.html").render(
        title=title, data_name=data_name, artifact=artifact, script=None, **analysis_section(analysis)
    )


def analysis_section(analysis: Analysis) -> dict[str, object]:
    """What the template `analysis.html` needs."""
    outputs = list(analysis.curve.points[-1].window.output_errors)
    # the template leaves out what a network without neurons that spike, or a raster of none, has not
    drawn = {
        "over_time": over_time_svg(analysis),
        "layer_ratios": layer_ratios_svg(analysis),
        "rate_histograms": rate_histograms_svg(analysis) if analysis.rates else "",
        "channel_maxima": channel_maxima_svg(analysis) if analysis.channels else "",
        "channel_means": channel_means_svg(analysis) if analysis.channels else "",
        "spike_raster": spike_raster_svg(analysis) if analysis.raster.neurons else "",
    }
    tables = {
        "rates": rate_table(analysis.rates) if analysis.rates else None,
        "channels": channel_table(analysis.channels),
        "raster": raster_table(analysis.raster.neurons),
    }
    kinds = [{"field": "window", "suffix": ""}]
    if not analysis.curve.windows_are_prefixes:
        kinds.append({"field": "read_out", "suffix": ", read out early"})
    return {
        "analysis": analysis,
        "kinds": kinds,
        "quantities": ["error"] if analysis.agreement is None else ["accuracy", "agreement", "error"],
        "output_names": outputs if len(outputs) > 1 else [],
        "figures": drawn,
        "tables": tables,
        "has_negative": any(any(rates.negative) for rates in analysis.rates),
    }
