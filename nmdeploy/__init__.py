"""nmdeploy: from trained PyTorch networks to neuromorphic chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmdeploy.frontend.model_file import save

__all__ = ["__version__", "save"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`save` on first use: it needs torch, which takes seconds to import."""
    if name == "save":
        from nmdeploy.frontend.model_file import save

        return save
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
