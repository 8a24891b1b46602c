"""Who computed something, with what: in journals, and in what is stored."""

from __future__ import annotations

from symscape.dft.journal import Event, now


def symscape_version() -> str:
    """Return the version of symscape that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("symscape")
    except PackageNotFoundError:
        return "not installed"


def started_now(command: str) -> Event:
    """Return how a journal's line begins about who computed what follows."""
    return {
        "event": "start",
        "time": now(),
        "command": command,
        "symscape": symscape_version(),
    }
