"""What Home's stage says beyond what its view works out in the page."""

from __future__ import annotations

from collections.abc import Mapping

from resviz.figures.theme import number
from resviz.judgement import judge
from resviz.results import Run
from resviz.spec.net import DESIGNS, Design
from resviz.spec.query import from_query

__all__ = ["norm_answer", "stage_note"]


def norm_answer(runs: Mapping[Design, Run]) -> str:
    """The other half of the story, from the recorded trainings with batch norm."""
    plain = runs["plain"]
    arrives = {design: _arrives(run) for design, run in runs.items()}
    names = {design: from_query(run.card["spec"])[0].title for design, run in runs.items()}
    level = all(kind == "level" for kind, _ in arrives.values())
    errors = {design: run.epochs[-1].train_error for design, run in runs.items()}
    both = level and errors["plain"] > errors["residual"]
    reach = " and ".join(number(arrives[design][1]) for design in DESIGNS[::-1])
    return (
        f"With batch norm the gradient {'does arrive' if both else 'is another'} (at the first layer {reach} times the last "
        f"convolution's), {'yet' if both else 'and'} after {len(plain.epochs)} epochs on {plain.card['data'].split(',')[0]} "
        f"{names['plain']} gets {errors['plain']:.1f} % of its training pictures wrong, {names['residual']} {errors['residual']:.1f} %."
        f"{' So the story has two parts.' if both else ''}"
    )


def _arrives(run: Run) -> tuple[str, float]:
    """What the last epoch's profile is judged to be, and its first layer's gradient over the last convolution's."""
    probe = run.epochs[-1].probe
    assert probe is not None  # every recorded run's last epoch has one
    found = judge(probe.profile, from_query(run.card["spec"])[0], probe.signal)
    return found.kind, found.first[1] / found.reference[1]


def stage_note(card: Mapping[str, object], images: int) -> str:
    """Where the numbers come from."""
    return (
        f"Recorded, one training for each answer: {card['data']}, seed {card['seed']}, {images} held-out images; {card['measured']}, "
        f"{card['machine']}, `{card['command']}`."
    )
