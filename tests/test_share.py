"""Whose address a link has, what its QR code holds, and which page a misspelt path meant."""

from __future__ import annotations

import re
from urllib.parse import unquote

import numpy as np
import pytest

from resviz.figures.theme import INK, PAPER
from resviz.ui.components.link import code_of, for_others
from resviz.ui.pages import nearest

LAN = "192.168.1.20"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_who_opened_it_as_localhost_hands_on_the_address_in_the_network(host: str) -> None:
    way = for_others(f"http://{host}:8501/build", "", LAN)
    assert way.url == f"http://{LAN}:8501/build"
    assert "server.address" in way.note
    assert for_others(f"http://{host}/", "0.0.0.0", LAN).url == f"http://{LAN}/"


@pytest.mark.parametrize("url", ["https://resviz.example.org/base/build", "http://10.0.0.7:8501/lab"])
def test_the_host_that_a_visitor_used_is_kept(url: str) -> None:
    assert for_others(url, "127.0.0.1", LAN) == (url, "")


@pytest.mark.parametrize(("listens", "address"), [("127.0.0.1", LAN), ("localhost", LAN), ("", "127.0.0.1")])
def test_an_address_that_would_not_answer_is_not_offered(listens: str, address: str) -> None:
    way = for_others("http://localhost:8501/build", listens, address)
    assert way.url == "http://localhost:8501/build"
    assert "this machine alone" in way.note


def test_a_code_is_dark_on_light_with_four_modules_of_quiet_and_has_its_limit() -> None:
    src, modules = code_of("http://192.168.1.20:8501/build?blocks=2-2-2")
    drawing = unquote(src)
    assert f"viewBox='0 0 {modules} {modules}'" in drawing
    colours = re.findall(r"#[0-9A-Fa-f]{3,6}", drawing.replace("%23", "#"))
    assert {colour.upper() for colour in colours} <= {INK.upper(), PAPER.upper(), "#FFF"}
    starts = np.array([int(x) for x in re.findall(r"M(\d+)", drawing)])
    assert starts.max() < modules
    assert code_of("http://x/?" + "a" * 2943)[1] == 177 + 8
    assert code_of("http://x/?" + "a" * 2944) == ("", 0)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("gradient", "Gradients"),
        ("biuld", "Build"),
        ("LAB", "Lab"),
        ("home", "Home"),
        ("pages/explian", "Explain"),
        ("qqqqqq", None),
    ],
)
def test_a_misspelt_path_finds_its_page(path: str, title: str | None) -> None:
    found = nearest(path)
    assert (found.title if found else None) == title
