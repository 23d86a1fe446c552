"""The templates of all pages, and how pages write figures."""

from __future__ import annotations

import jinja2

from nmdeploy.analysis import shown


def template(name: str) -> jinja2.Template:
    """A template of this folder."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nmdeploy.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        share=shown.share, percent=shown.percent, decibels=shown.decibels, ratio=shown.ratio
    )
    return environment.get_template(name)
