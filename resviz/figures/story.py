"""The map of the story: four small figures of the same 56 layers on one scale, as markup that a page and a file show alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Final

import numpy as np

from resviz.figures import captions
from resviz.figures.theme import number, power_of_ten
from resviz.judgement import FLOOR
from resviz.results import Chapter, GradientProfile
from resviz.spec.names import different
from resviz.spec.net import DESIGNS, Design

__all__ = ["map_decades", "story_markup"]

_HEIGHT: Final = 170  # pixels of one figure
_LINE: Final = 40  # between two lines' names, which may take two lines of words each
_ROOM: Final = 0.4  # decades over the highest tick
_MARK: Final = (
    '<svg class="mark" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7"/><path d="M10 6v8M6 10h8"/></svg>'
)


def map_decades(chapters: Sequence[Chapter]) -> tuple[int, int]:
    """One scale for all four: from a decade under what is next to nothing to over the largest."""
    norms = np.concatenate([profile.norms for chapter in chapters for profile in chapter.profiles.values()])
    finite = norms[np.isfinite(norms) & (norms > 0)]
    return round(math.log10(FLOOR)) - 1, max(3, math.ceil(math.log10(finite.max())))


def story_markup(chapters: Sequence[Chapter], here: str = "") -> str:
    """HTML; `here` is the key of the chapter that the visitor's setting is, if it is one of them."""
    decades = map_decades(chapters)
    rows = groupby(chapters, key=lambda chapter: captions.chapter_words(chapter)[0])
    body = "".join(
        f'<p class="norm">{escape(norm)}</p>' + "".join(_cell(chapter, decades, chapter.key == here) for chapter in row)
        for norm, row in rows
    )
    return f'<p class="line">{escape(captions.story_line(chapters))}</p><div class="cells">{body}</div>'


def _cell(chapter: Chapter, decades: tuple[int, int], here: bool) -> str:
    """One small figure between its name and what follows from it."""
    badge = f'<b class="badge">{_MARK} You are here</b>' if here else ""
    return (
        f'<figure class="cell{" here" if here else ""}"{" aria-current=location" if here else ""}>'
        f"<figcaption>{escape(captions.chapter_words(chapter)[1])}{badge}</figcaption>"
        f'<div class="plot" role="img" aria-label="{escape(_alternative(chapter))}">{_plot(chapter, decades)}</div>'
        f"<p>{escape(captions.chapter_note(chapter))}</p><p>{escape(captions.outcome_note(chapter))}</p></figure>"
    )


def _alternative(chapter: Chapter) -> str:
    """The picture in words, layer by layer at five places."""

    def course(design: Design) -> str:
        norms = chapter.profiles[design].norms
        places = np.linspace(0, len(norms) - 1, 5).round().astype(int)
        return f"{different(chapter.specs[design])}: {', '.join(number(float(norms[i])) for i in places)}"

    both = "; ".join(course(design) for design in DESIGNS)
    return f"Gradient norm of the weights from the first layer to the last, at five places. {both}."


def _plot(chapter: Chapter, decades: tuple[int, int]) -> str:
    """Both lines over their grid, their names where they end."""
    low, high = decades
    ticks = range(low, high + 1, 3)
    profiles = {design: chapter.profiles[design] for design in DESIGNS}
    grid = "".join(f'<path class="grid" d="M0 {_y(tick, decades):.1f}H100"/>' for tick in ticks)
    lines = "".join(f'<path class="{design}" d="{_path(profile, decades)}"/>' for design, profile in profiles.items())
    words = "".join(f'<span class="tick" style="top:{_y(tick, decades):.0f}px">{power_of_ten(tick)}</span>' for tick in ticks)
    names = "".join(
        f'<span class="name {design}" style="top:{y:.0f}px">{_name(chapter, design)}</span>'
        for design, y in _apart(profiles, decades).items()
    )
    return (
        f'{words}<svg viewBox="0 0 100 {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{grid}{lines}</svg>{names}'
        f'{"".join(_below(profiles, low))}<span class="ends">first layer <i>last</i></span>'
    )


def _name(chapter: Chapter, design: Design) -> str:
    """The network, and its norm where that is not the usual one; each stays in one piece."""
    title, *words = different(chapter.specs[design]).split(" · ")[:2]
    return " ".join(f"<i>{escape(word)}</i>" for word in (title, *(f"· {word}" for word in words)))


def _y(exponent: float, decades: tuple[int, int]) -> float:
    low, high = decades
    return _HEIGHT * (high + _ROOM - exponent) / (high + _ROOM - low)


def _exponents(profile: GradientProfile, decades: tuple[int, int]) -> np.ndarray:
    """Powers of ten: far below the figure where a norm is exactly 0, over it where it overflows."""
    with np.errstate(divide="ignore"):
        return np.nan_to_num(np.log10(profile.norms), nan=decades[1] + 1, posinf=decades[1] + 1, neginf=2.0 * decades[0] - 60)


def _path(profile: GradientProfile, decades: tuple[int, int]) -> str:
    exponents = _exponents(profile, decades)
    points = zip(np.linspace(0, 100, len(exponents)), exponents.tolist(), strict=True)
    return "M" + "L".join(f"{x:.1f} {_y(exponent, decades):.1f}" for x, exponent in points)


def _apart(profiles: Mapping[Design, GradientProfile], decades: tuple[int, int]) -> dict[Design, float]:
    """Where each line's name stands: beside its end, but never on the other's."""
    ends = {design: min(_y(float(_exponents(profile, decades)[-1]), decades), _HEIGHT) for design, profile in profiles.items()}
    (upper, first), (lower, second) = sorted(ends.items(), key=lambda item: item[1])
    middle, half = (first + second) / 2, max(second - first, _LINE) / 2
    middle = min(max(middle, half), _HEIGHT - half)
    return {upper: middle - half, lower: middle + half}


def _below(profiles: Mapping[Design, GradientProfile], low: int) -> Iterator[str]:
    """Of a line that leaves the figure at its floor: how far it goes."""
    for design, profile in profiles.items():
        least = float(profile.norms.min())
        if least < 10.0**low:
            how = "exactly 0" if least == 0 else power_of_ten(math.floor(math.log10(least)))
            yield f'<span class="below {design}">↓ down to {how}</span>'
