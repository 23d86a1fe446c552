"""Lava processes that compute the integer semantics of `mapping.network`.

Lava imports every module of this folder when it looks for process models, so nothing else may live here.
"""
