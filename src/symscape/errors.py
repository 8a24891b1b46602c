"""The errors that symscape raises for its users."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from unicodedata import category

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 4
_SHORT.maxlevel = 2


def shown(value: object) -> str:
    """Return a value as an error message shows it: what a file holds may be of any size."""
    return _SHORT.repr(value)


def message_of(error: BaseException, length: int = 200) -> str:
    """Return the first line of an exception's message, made `printable`; whatever it may hold."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        return "a message that can't be read"
    return printable(lines[0][:length]) if lines else "no message"


def printable(text: str) -> str:
    r"""Return a text that any file and terminal takes.

    Lone surrogates can't be written as UTF-8, and control characters neither into XML nor to a
    terminal without harm; both become escapes such as ``\udcff``.
    """
    return "".join(
        c.encode("unicode_escape").decode() if category(c) in ("Cc", "Cs") else c for c in text
    )


class SymscapeError(Exception):
    """A problem that the user can mend.

    The message is one sentence that names the thing, says what is wrong with it and what to do.
    Command line and pytest plugin print it without a traceback.
    """


class ArgumentError(SymscapeError, TypeError):
    """A function was given something of another type than it takes."""


class StructureFileError(SymscapeError):
    """A structure file can't be read or holds no usable periodic crystal."""


class DisorderedStructureError(StructureFileError):
    """A structure has sites that are partly occupied or shared."""


class ReferenceFileError(SymscapeError):
    """A stored reference is malformed or contradicts its own slice."""


class ToleranceFileError(SymscapeError):
    """A tolerance file is malformed or names something unknown."""


class ModelError(SymscapeError):
    """A model is unknown, its package or weights are missing, or it can't be loaded."""


class NotEvaluated(SymscapeError):
    """A case could not be evaluated: there is no verdict, and the message says why."""


class ResultsFileError(SymscapeError):
    """A results file is malformed or of a schema that this version can't read."""


class PlanError(SymscapeError):
    """A plan for computing a reference is malformed, or what was computed does not fit it."""


class EngineError(SymscapeError):
    """The code that computes references is missing, misconfigured, or fails at every point."""


class HullError(SymscapeError):
    """Energies that formation energies and hulls need are missing, double or no numbers."""


class DatasetError(SymscapeError):
    """A list of crystals to import, or a data set made of one, is missing, damaged or unusable."""


class ScaleError(SymscapeError):
    """A run over a data set can't go on, or its folder holds something else."""


@contextmanager
def writing(
    where: object, what: str, advice: str, error: type[SymscapeError] = SymscapeError
) -> Iterator[None]:
    """Let what goes wrong when something is written end in one sentence.

    Parameters
    ----------
    where
        The file or folder.
    what
        What is written: ``the tables``.
    advice
        What to do, without a full stop: ``make room``.
    error
        What is raised.

    Raises
    ------
    SymscapeError
        Of the kind ``error``, in place of an `OSError`.
    """
    try:
        yield
    except OSError as problem:
        why = problem.strerror or problem
        raise error(f"{where}: {what} can't be written ({why}); {advice}.") from problem


def did_you_mean(name: str, known: Iterable[str], *, loose: bool = False) -> str:
    """Return how a sentence on an unknown name ends: ``; did you mean this?``, or a full stop.

    Parameters
    ----------
    name
        What was written.
    known
        What could have been meant.
    loose
        Whether names that are longer than what was written count as near as well.
    """
    near = get_close_matches(name, list(known), n=3, cutoff=0.3 if loose else 0.6)
    return f"; did you mean {' or '.join(near)}?" if near else "."
