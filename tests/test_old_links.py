"""Links that an earlier version made restore what they restored there: `golden/links.json` holds its own answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import torchvision.models  # noqa: F401 - the page waits for it on a fresh server
from streamlit.testing.v1 import AppTest

import resviz.attribution.question  # noqa: F401 - likewise
from resviz.spec.lab import plan_from_query, plan_to_query
from resviz.spec.query import from_query, to_query
from resviz.ui.pages import PAGES

ROOT = Path(__file__).resolve().parents[1]
LINKS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden" / "links.json").read_text(encoding="utf-8"))


LATER = frozenset({"carry", "gate", "scale", "survival", "noise", "share"})


def of_kind(kind: str) -> Iterable[Any]:
    return [pytest.param(link["query"], link["restores"], id=link["query"]) for link in LINKS if link["kind"] == kind]


def plain(value: object) -> object:
    """A value as JSON holds it: dataclasses as dictionaries, sets sorted, enums by value; without the fields that came later and are
    as they were before there was a choice."""
    if is_dataclass(value):
        usual = {field.name: field.default for field in fields(value)}
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(each) for name, each in held.items() if name not in LATER or each != usual[name]}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def test_there_are_twenty_links() -> None:
    assert [sum(link["kind"] == kind for link in LINKS) for kind in ("spec", "lab", "explain")] == [10, 6, 4]
    assert len({link["query"] for link in LINKS}) == 20


@pytest.mark.parametrize(("query", "restores"), of_kind("spec"))
def test_a_network_is_restored(query: str, restores: object) -> None:
    spec, problems = from_query(query)
    assert (plain(spec), problems) == (restores, ())
    if "net" not in (parameters := dict(parse_qsl(query))):
        assert to_query(spec) == parameters  # so the earlier version reads today's links


@pytest.mark.parametrize(("query", "restores"), of_kind("lab"))
def test_a_lab_with_its_edits_is_restored(query: str, restores: object) -> None:
    parameters = dict(parse_qsl(query))
    plan, problems = plan_from_query(parameters)
    assert plan is not None
    assert (plain(plan), problems) == (restores, ())
    assert plan_to_query(plan) == parameters


@pytest.mark.parametrize(("query", "restores"), of_kind("explain"))
def test_an_explanation_is_restored(query: str, restores: dict[str, Any]) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, text in parse_qsl(query):
        at.query_params[name] = text
    at = finished(at.switch_page("pages/explain.py").run())
    assert not at.exception
    network, sample = (at.session_state[f"explain.{name}"] for name in ("network", "sample"))
    target = at.selectbox(key=f"class.{network}.sample {sample}").value
    assert restores == {
        "network": network,
        "sample": sample,
        "class": target,
        "against": at.selectbox(key=f"against.{network}.sample {sample}.{target}").value,
        "methods": at.multiselect(key="explain.methods").value,
        "layers": next((box.value for box in at.multiselect if box.key == f"layers.{network}"), None),
        "view": at.session_state["explain.view"],
    }


def finished(at: AppTest) -> AppTest:
    """Rerun until every job of the page has ended."""
    for _ in range(300):
        if not any(job.live for job in at.session_state.get("jobs", {}).values()):
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("a job did not end")


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"/(build|gradients|lab|explain|degradation)?\?([a-z_]+=[^\s)\"'`>]+)")
_NET = re.compile(r"python -m resviz (?:summary|gradients) ([^\s-]\S*)|--net (\S+)")


def test_the_links_of_the_documents_are_read() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert {page.path for page in PAGES} == {
        "",
        "build",
        "gradients",
        "lab",
        "explain",
        "degradation",
        "inside",
        "anatomy",
        "landscape",
        "shortcuts",
        "recordings",
        "transfer",
        "sweeps",
    }
    for page, query in _LINK.findall(text):
        if page == "explain":
            assert query in {link["query"] for link in LINKS}
        else:
            assert (plan_from_query(dict(parse_qsl(query))) if page == "lab" else from_query(query))[1] == ()
    nets = [first or second for first, second in _NET.findall(text)]
    assert len(nets) >= 4
    for net in nets:
        assert from_query(net if "=" in net else f"net={net}")[1] == ()
