"""Which version of symscape computed something."""

from __future__ import annotations


def symscape_version() -> str:
    """Return the version of symscape that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("symscape")
    except PackageNotFoundError:
        return "not installed"
