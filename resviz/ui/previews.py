"""What a link shows of itself where it is posted: its title, a sentence, and a card of the very network; from the server's own routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resviz.figures.diagram import network_diagram, to_svg
from resviz.figures.paper import card_file
from resviz.figures.theme import count
from resviz.nets.cost import layer_table
from resviz.spec.families import Network, side_of
from resviz.spec.lab import plan_from_query
from resviz.spec.names import describe, name_of
from resviz.spec.query import to_query
from resviz.ui.pages import PAGES, Page
from resviz.ui.state import network_in

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["base", "middleware", "routes"]

_SCHEMES: Final = ("http", "https")
_DAY: Final = "public, max-age=86400"
_HEAD: Final = b"</head>"


def routes() -> list[Route]:
    """The pictures: `preview.png`, 1200×630, and `preview.svg`, the diagram alone; both of the network that the query names."""
    return [Route(f"{base()}/preview.png", _png), Route(f"{base()}/preview.svg", _svg)]


def middleware() -> list[Middleware]:
    """Puts each page's title, sentence and picture into its HTML, where who fetches links looks for them."""
    return [Middleware(_Previews)]


def base() -> str:
    """Where the app lies on its server: "" or "/path"."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def _network(page: Page | None, query: Mapping[str, str]) -> Network:
    """The network that a page's link is about: of the Lab the first contender."""
    plan = plan_from_query(dict(query))[0] if page is not None and page.title == "Lab" else None
    if plan is not None:
        return plan.contenders[0]
    return network_in(query)[0]


def _png(request: Request) -> Response:
    return Response(_card(_network(None, request.query_params)), media_type="image/png", headers={"Cache-Control": _DAY})


@lru_cache(64)
def _card(spec: Network) -> bytes:
    table = layer_table(spec, side_of(spec, 32, 224))
    return card_file(network_diagram(table), name_of(spec), f"{count(table.params)} parameters, {count(table.macs, 'MACs')}")


def _svg(request: Request) -> Response:
    spec = _network(None, request.query_params)
    drawn = network_diagram(layer_table(spec, side_of(spec, 32, 224)))
    return Response(to_svg(drawn, describe(spec)), media_type="image/svg+xml", headers={"Cache-Control": _DAY})


class _Previews:
    """Between the browser and Streamlit's static page, for the addresses of pages alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.pages = {f"{base()}/{page.path}": page for page in PAGES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self.pages.get(scope.get("path", "")) if scope["type"] == "http" and scope["method"] == "GET" else None
        if page is None:
            await self.app(scope, receive, send)
            return
        # packed it could not be written into
        plain = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]}
        await self.app(plain, receive, _Filled(send, lambda: _tags(page, Request(scope))))


class _Filled:
    """Holds the response's head back until its body is whole, and writes the tags before `</head>`."""

    def __init__(self, send: Send, tags: Callable[[], str]) -> None:
        self.send, self.tags = send, tags
        self.head: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and Headers(raw=message["headers"]).get("content-type", "").startswith(
            "text/html"
        ):
            self.head = message
        elif self.head is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._whole(self.head)

    async def _whole(self, head: Message) -> None:
        body = self.body.replace(_HEAD, self.tags().encode() + _HEAD, 1)
        headers = MutableHeaders(raw=head["headers"])
        headers["content-length"] = str(len(body))
        for name in ("etag", "last-modified"):  # of the file, which says nothing of what is written into it
            if name in headers:
                del headers[name]
        await self.send({**head, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": body})


def _tags(page: Page, request: Request) -> str:
    """Open Graph's words, which other services read too."""
    spec = _network(page, request.query_params)
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    home = f"{scheme if scheme in _SCHEMES else 'http'}://{request.headers.get('host', 'localhost')}{base()}"
    picture = f"{home}/preview.png?{urlencode(to_query(spec))}"
    about = {
        "og:type": "website",
        "og:site_name": "ResViz",
        "og:title": page.question,
        "og:description": f"{describe(spec)}. {page.invitation or page.lead.replace('*', '').replace('`', '')}",
        "og:image": picture,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"Diagram of {describe(spec)}",
    }
    words = "".join(f'<meta property="{name}" content="{escape(text)}">' for name, text in about.items())
    return f'{words}<meta name="twitter:card" content="summary_large_image"><meta name="description" content="{escape(about["og:description"])}">'
