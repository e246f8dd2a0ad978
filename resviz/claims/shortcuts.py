"""Claims about what else a skip could be, from the recorded races."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from resviz.claims.claim import Claim, Finding, spread
from resviz.claims.evidence import Evidence
from resviz.figures.captions.numbers import counted
from resviz.results import RaceRecord
from resviz.spec.shortcuts import KINDS

__all__ = ["SHORTCUTS"]

_GUESSING = 80.0  # percent of wrong answers from which a network of ten classes has learned next to nothing
Held = Callable[[np.ndarray, np.ndarray], bool]


def _errors(record: RaceRecord, kind: str) -> np.ndarray:
    return np.asarray(record.held_out[record.kinds.index(kind)], np.float64)


def _worse(errors: np.ndarray, usual: np.ndarray) -> bool:
    return bool(np.median(errors) > np.median(usual))


def _better(errors: np.ndarray, usual: np.ndarray) -> bool:
    return bool(np.median(errors) < np.median(usual))


def _not_worse(errors: np.ndarray, usual: np.ndarray) -> bool:
    return bool(np.median(errors) <= np.median(usual))


def _learns(errors: np.ndarray, usual: np.ndarray) -> bool:
    return bool((errors < _GUESSING).all())


def _fails(errors: np.ndarray, usual: np.ndarray) -> bool:
    return bool((errors >= _GUESSING).all())


def _raced(race: str, kind: str, holds: Held, beside: str = "") -> Callable[[Evidence], Finding]:
    """A contender beside another one of its race, the first unless named."""

    def measure(evidence: Evidence) -> Finding:
        record = evidence.race(race)
        usual = beside or record.kinds[0]
        errors, others = _errors(record, kind), _errors(record, usual)
        return Finding(
            f"{KINDS[kind].title}: {spread(errors, ' %')} wrong, {KINDS[usual].title}: {spread(others, ' %')}",
            f"digits, {record.layers} layers, {counted(record.steps, 'step')}, {counted(record.seeds, 'seed')}, "
            f"{counted(record.images, 'held-out picture')}; recorded",
            holds(errors, others),
        )

    return measure


def _claim(key: str, race: str, kind: str, says: str, holds: Held, agrees_where: str) -> Claim:
    about = KINDS[kind]
    return Claim(
        key,
        says,
        about.source.split(": ")[0],
        published=about.published,
        agrees_where=agrees_where,
        page="shortcuts",
        measure=_raced(race, kind, holds),
    )


_WORSE = "its median error is above the identity's"
SHORTCUTS = (
    _claim("half", "skip", "half", "½x + ½F is worse than x + F", _worse, _WORSE),
    _claim("half-skip", "skip", "half-skip", "½x + F fails to converge well", _worse, _WORSE),
    _claim("exclusive", "skip", "exclusive", "An exclusive gate, (1−g)x + gF, is worse", _worse, _WORSE),
    _claim("gated", "skip", "gated", "A gate on the shortcut alone is worse, if little", _worse, _WORSE),
    _claim("gated-0", "noise", "gated-0", "A gate on the shortcut alone that begins half open is much worse", _worse, _WORSE),
    _claim("projection", "skip", "projection", "1×1 convolutions on every shortcut are worse", _worse, _WORSE),
    _claim("dropout", "noise", "dropout", "Dropout on the shortcut fails", _worse, _WORSE),
    Claim(
        "highway",
        "Gates are no worse, where they are tuned as well",
        "Srivastava 2025, flukeskywalker/highway-resnet-comparison",
        published="Highway-110 6.04 %, ResNet-110 6.25 %, CIFAR-10",
        agrees_where="the exclusive gate's median error is not above the identity's",
        page="shortcuts",
        measure=_raced("skip", "exclusive", _not_worse),
    ),
    _claim(
        "survival",
        "noise",
        "survival",
        "Stochastic depth lowers the error",
        _better,
        "its median error is below the identity's",
    ),
    Claim(
        "bare",
        "Without a norm, and without anything in its place, deep ResNets do not train",
        "De & Smith 2020, arXiv 2002.10444, about",
        published="no number taken over",
        agrees_where="80 % or more are wrong, every seed",
        page="shortcuts",
        measure=_raced("branch", "bare", _fails),
    ),
    _claim("fixup", "branch", "fixup", "Fixup trains deep ResNets without a norm", _learns, "under 80 % are wrong, every seed"),
    _claim(
        "skipinit",
        "branch",
        "learned",
        "A learned factor that begins at 0 trains deep ResNets without a norm",
        _learns,
        "under 80 % are wrong, every seed",
    ),
    *(
        Claim(
            f"order-{kind}",
            f"The unit {KINDS[kind].title} is {word} than the original",
            KINDS[kind].source.split(": ")[0],
            published=f"{KINDS[kind].published} beside {KINDS['original'].published}",
            agrees_where=f"its median error is {side} the original's",
            page="shortcuts",
            measure=_raced("order", kind, holds, "original"),
        )
        for kind, word, side, holds in (
            ("preact", "better", "below", _better),
            ("norm-after", "worse", "above", _worse),
            ("relu-before", "worse", "above", _worse),
            ("relu-only", "slightly worse", "above", _worse),
        )
    ),
    Claim(
        "fixup-behind",
        "Fixup does not reach batch norm",
        KINDS["fixup"].source.split(": ")[0],
        published=f"about {KINDS['fixup'].published} beside {KINDS['norm'].published}",
        agrees_where="its median error is above batch norm's",
        page="shortcuts",
        measure=_raced("branch", "fixup", _worse),
    ),
)
