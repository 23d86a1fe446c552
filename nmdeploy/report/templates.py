"""The templates of all pages, and how pages write figures."""

from __future__ import annotations

import jinja2

UNKNOWN = "\N{EN DASH}"


def template(name: str) -> jinja2.Template:
    """A template of this folder."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nmdeploy.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(share=_share, percent=_percent, decibels=_decibels, ratio=_ratio)
    return environment.get_template(name)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2%}"


def _decibels(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _ratio(value: float | None, relative_error: float | None) -> str:
    """No ratio is finite where there is no error."""
    return "exact" if relative_error == 0 else _decibels(value)
