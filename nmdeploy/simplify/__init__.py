"""Rewrites of the layer graph that leave its function as it is."""

from nmdeploy.simplify.simplify import simplify

__all__ = ["simplify"]
