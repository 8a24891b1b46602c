"""Verdicts that an earlier run reached on the same content: nothing is judged twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symscape.digest import JUDGING, code_digest
from symscape.questions.case import CaseResult
from symscape.questions.records import plain_case, read_case
from symscape.questions.registry import QUESTIONS
from symscape.questions.subjects import Subject

if TYPE_CHECKING:
    from symscape.models.base import EnergyModel
    from symscape.models.cache import EnergyCache
    from symscape.verdict.tolerances import Tolerances

#: packages whose code decides a verdict, given the energies that a fingerprint stands for
_PACKAGES = (*JUDGING, "symscape.models", "symscape.references", "symscape.suite")
_DISTRIBUTIONS = ("ase", "gudhi", "numpy", "pandas", "pymatgen", "pymatgen-core", "scipy", "spglib")


@dataclass(frozen=True, eq=False)
class AskedOfModel:
    """One question to one model: all that its answer depends on but the code.

    Parameters
    ----------
    question
        Its name.
    subject
        What it is about.
    model
        The potential.
    tolerances
        Of the run.
    digest
        Of the reference files that the model is compared with.
    extra
        What else decides the result.
    """

    question: str
    subject: Subject
    model: EnergyModel
    tolerances: Tolerances
    digest: str
    extra: tuple[str, ...] = ()

    def key(self) -> bytes:
        """Return a hash of all that decides the verdict, the energies apart."""
        about = self.subject
        names = {"material": about.material, "slice": about.slice, "model": self.model.card.name}
        # questions may look at each other's limits
        limits = {name: repr(self.tolerances.case(name, **names)) for name in QUESTIONS}
        code = code_digest(_PACKAGES, _DISTRIBUTIONS)
        content = [self.question, names, limits, self.digest, self.extra, repr(self.model.card)]
        text = json.dumps([*content, code])
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


def judge_once(
    asked: AskedOfModel,
    cache: EnergyCache | None,
    judge: Callable[..., CaseResult | None],
    whole: Callable[[], bool],
) -> CaseResult | None:
    """Judge a case, unless an earlier run has.

    Parameters
    ----------
    asked
        The question.
    cache
        Where verdicts are kept; None judges anew.
    judge
        Called with the model's ``model`` name and ``fingerprint``; None where there is nothing to
        ask.
    whole
        Whether the model gave every number that ``judge`` wanted; asked afterwards. A verdict with
        gaps is not kept: the next run tries again.

    Returns
    -------
    CaseResult or None
        ``seconds`` is what it took this time.
    """
    begin = time.perf_counter()
    model = asked.model
    name, fingerprint = model.card.name, model.fingerprint
    if cache is None or not model.cacheable:
        return _timed(judge(model=name, fingerprint=fingerprint), begin)
    key = asked.key()
    known = cache.get_verdict(fingerprint, key)
    if known is not None:
        return _timed(_read(known), begin)
    result = judge(model=name, fingerprint=fingerprint)
    if whole() and (result is None or result.status in ("passed", "failed")):
        text = json.dumps(None if result is None else plain_case(result))
        cache.put_verdict(fingerprint, name, key, text)
        # what this run reports must not differ from what the next one does
        seconds = result.seconds if result else 0.0
        result = _read(text, seconds)
    return _timed(result, begin)


def _read(text: str, seconds: float = 0.0) -> CaseResult | None:
    record = json.loads(text)
    return None if record is None else replace(read_case(record), seconds=seconds)


def _timed(result: CaseResult | None, begin: float) -> CaseResult | None:
    """Say how long it took, where the judge has not."""
    if result is None or result.seconds:
        return result
    return replace(result, seconds=time.perf_counter() - begin)
