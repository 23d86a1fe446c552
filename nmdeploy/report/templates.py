"""The templates of all pages, their script, and how pages write figures."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

import jinja2
from markupsafe import Markup

from nmdeploy.analysis import shown


@dataclass(frozen=True)
class InlineScript:
    """A script to be put into a page.

    Attributes
    ----------
    text : Markup
    sha256 : str
        In base64, as the page's content security policy names it; no other script runs.
    """

    text: Markup
    sha256: str


def inline_script(name: str) -> InlineScript:
    """A script of this folder."""
    text = resources.files("nmdeploy.report").joinpath(name).read_text(encoding="utf-8")
    # a constant file of this package, not user input
    return InlineScript(Markup(text), base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


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
