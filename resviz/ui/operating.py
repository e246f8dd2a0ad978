"""What a running server tells whoever runs it: numbers for Prometheus, the same as a page, and a log as JSON."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from logging import Logger, getLogger
from typing import Final

import psutil
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit import logger as streamlits_logger
from streamlit.runtime import Runtime
from streamlit.runtime.stats import ACTIVE_SESSIONS_FAMILY, GaugeStat

from resviz import logs
from resviz.counters import KINDS, Counted, Kind
from resviz.figures.theme import TOKENS
from resviz.ui import waiting
from resviz.ui.previews import base
from resviz.version import __version__

__all__ = ["Standing", "metrics", "page", "routes", "speak"]

_REFRESH: Final = 5  # seconds
_ADDRESSES: Final = "uvicorn.access"
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def speak() -> None:
    """Log as JSON where RESVIZ_LOG asks for it, Streamlit's lines included; raises `ValueError` where it asks for what there is not."""
    if logs.asked():
        logs.begin()
        streamlits_logger.setup_formatter = _hand_up  # which is called for each of its loggers, now and later
        streamlits_logger.update_formatter()
        for name in ("uvicorn", _ADDRESSES):
            _hand_up(getLogger(name))
        getLogger(__name__).info("ResViz %s begins to serve", __version__)


def _hand_up(logger: Logger) -> None:
    """Leave what a logger says to the root's handler, but for who asked for which address, which stays unsaid."""
    logger.handlers.clear()
    logger.propagate = logger.name != _ADDRESSES


def routes() -> list[Route]:
    """`metrics` and `operator`, for whoever has RESVIZ_OPERATOR_TOKEN; where that is not set there are no such places."""
    return [Route(f"{base()}/metrics", _metrics), Route(f"{base()}/operator", _operator)]


def _metrics(request: Request) -> Response:
    return _for_operators(request, "", lambda: PlainTextResponse(metrics(_now()), media_type="text/plain; version=0.0.4"))


def _operator(request: Request) -> Response:
    return _for_operators(request, request.query_params.get("token", ""), lambda: HTMLResponse(page(_now())))


def _for_operators(request: Request, given: str, answer: Callable[[], Response]) -> Response:
    """The answer, to whoever has the token as a bearer or has `given` it."""
    token = os.environ.get("RESVIZ_OPERATOR_TOKEN", "")
    if not token:
        return PlainTextResponse("Not Found", 404)
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    tried = bearer.strip().encode("latin-1") if kind.lower() == "bearer" else given.encode()
    if not hmac.compare_digest(tried, token.encode()):
        return PlainTextResponse("This place asks for the operator's token.", 401, {"WWW-Authenticate": "Bearer"} | _PRIVATE)
    answered = answer()
    answered.headers.update(_PRIVATE)
    return answered


@dataclass(frozen=True)
class Standing:
    """How a server stands: `memory` is resident, in bytes; `seconds` since its process began."""

    sessions: int
    memory: int
    seconds: float
    counted: Counted


def _now() -> Standing:
    process = psutil.Process()
    with process.oneshot():
        memory, began = process.memory_info().rss, process.create_time()
    return Standing(_sessions(), memory, time.time() - began, waiting.manager().counters.read())


def _sessions() -> int:
    """Open browser sessions, as Streamlit counts them."""
    if not Runtime.exists():
        return 0
    found = Runtime.instance().stats_mgr.get_stats(family_names=[ACTIVE_SESSIONS_FAMILY])
    return sum(each.value for each in found.get(ACTIVE_SESSIONS_FAMILY, ()) if isinstance(each, GaugeStat))


# ------------------------------------------------------------------------------------------ for Prometheus


def metrics(now: Standing) -> str:
    """Prometheus' text format, version 0.0.4."""
    kinds = now.counted.kinds
    ends = {(name, end): getattr(kind, end) for name, kind in kinds.items() for end in ("done", "failed", "cancelled")}
    families = (
        _family("info", "gauge", "ResViz's version.", {f'{{version="{__version__}"}}': 1}),
        _family("uptime_seconds", "gauge", "Seconds since the process began.", {"": now.seconds}),
        _family("resident_memory_bytes", "gauge", "Resident memory.", {"": now.memory}),
        _family("sessions_open", "gauge", "Open browser sessions.", {"": now.sessions}),
        _family("computations_queued", "gauge", "Computations that wait.", {"": now.counted.queued}),
        _family("computations_running", "gauge", "Computations under way.", {"": now.counted.running}),
        _by_kind("computations_begun_total", "Computations that began.", {name: kind.begun for name, kind in kinds.items()}),
        _family(
            "computations_ended_total",
            "counter",
            "Computations that ended, and how.",
            {f'{{kind="{name}",state="{end}"}}': value for (name, end), value in ends.items()},
        ),
        _by_kind("computing_seconds_total", "Seconds of computing.", {name: kind.seconds for name, kind in kinds.items()}),
        _by_kind("waiting_seconds_total", "Seconds spent in the queue.", {name: kind.waited for name, kind in kinds.items()}),
    )
    return "\n".join(line for family in families for line in family) + "\n"


def _by_kind(name: str, help_: str, values: Mapping[str, float]) -> Iterator[str]:
    return _family(name, "counter", help_, {f'{{kind="{kind}"}}': value for kind, value in values.items()})


def _family(name: str, kind: str, help_: str, values: Mapping[str, float]) -> Iterator[str]:
    """The lines of one metric, by its labels; those are of our own words, which need no escapes."""
    yield f"# HELP resviz_{name} {help_}"
    yield f"# TYPE resviz_{name} {kind}"
    for labels, value in values.items():
        yield f"resviz_{name}{labels} {value if isinstance(value, int) else format(value, '.3f')}"


# ------------------------------------------------------------------------------------------ as a page

_STYLE: Final = """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 21px; margin: 1.6rem 0 .4rem; }
p { max-width: 34em; margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--stroke); text-align: right; font-weight: 400; }
thead th { font-weight: 600; }
th:first-child { text-align: left; }
small { font-size: 14px; display: block; }
@media (max-width: 640px) {
  thead { position: absolute; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; }
  tr { display: grid; grid-template-columns: repeat(3, 1fr); padding: .5rem 0; border-bottom: 1px solid var(--stroke); }
  tbody th { grid-column: 1 / -1; font-weight: 600; }
  th, td { border: 0; padding: .1rem 0; text-align: left; }
  td::before { content: attr(data-of); display: block; font-size: 14px; }
}
"""


def page(now: Standing) -> str:
    """The operator's page: what `metrics` says, in words, and a table of the kinds, those that computed longest first."""
    theme = (
        f":root {{ color-scheme: light dark; {_colours('light')} }}"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_colours('dark')} }} }}"
    )
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in _sentences(now))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{_REFRESH}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>How this server stands · ResViz</title>'
        f"<style>{theme}{_STYLE}</style></head><body><main><h1>How this server stands</h1>{words}"
        f"<h2>Computations by kind</h2>{_table(now.counted.kinds)}"
        f"<p><small>Since the server began. The page is drawn anew every {_REFRESH} seconds.</small></p></main></body></html>"
    )


def _colours(theme: str) -> str:
    return " ".join(f"--{name}: {getattr(TOKENS[name], theme)};" for name in ("paper", "ink", "stroke"))


def _sentences(now: Standing) -> Iterator[str]:
    counted, all_ = now.counted, now.counted.total
    yield f"{_so_many(now.sessions, 'session')} {'is' if now.sessions == 1 else 'are'} open."
    yield f"{_so_many(counted.running, 'computation')} under way, {counted.queued:,} waiting."
    yield (
        f"Since the server began, {_time(now.seconds)} ago, {_so_many(all_.begun, 'computation')} began: "
        f"{all_.done:,} done, {all_.failed:,} failed, {all_.cancelled:,} cancelled."
        if all_.begun or all_.cancelled
        else f"The server began {_time(now.seconds)} ago; nobody has asked for a computation."
    )
    yield f"ResViz {__version__} holds {now.memory / 2**20:,.0f} MB of memory."


def _table(kinds: Mapping[str, Kind]) -> str:
    if not kinds:
        return "<p>None yet.</p>"
    titles = ("Begun", "Done", "Failed", "Cancelled", "Computing", "Waiting")
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Kind", *titles))
    rows = []
    for name, kind in sorted(kinds.items(), key=lambda item: -item[1].seconds):
        counts = [f"{number:,}" for number in (kind.begun, kind.done, kind.failed, kind.cancelled)]
        cells = zip(titles, [*counts, _time(kind.seconds), _time(kind.waited)], strict=True)
        values = "".join(f'<td data-of="{title}">{value}</td>' for title, value in cells)
        rows.append(
            f'<tr><th scope="row">{escape(KINDS[name][0].upper() + KINDS[name][1:])} <small>{escape(name)}</small></th>{values}</tr>'
        )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _so_many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _time(seconds: float) -> str:
    """In the two units that fit: 0.4 s, 12 s, 3 min 20 s, 5 h 10 min, 2 d 3 h."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
