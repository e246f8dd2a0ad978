"""Query strings, lab links and spots, read by the spec, the plan and the spot, and Explain's links, read as the page reads them."""

from __future__ import annotations

from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from streamlit.testing.v1 import AppTest

from resviz.spec.comparisons import COMPARISONS
from resviz.spec.dense import DenseSpec
from resviz.spec.fields import fields_of
from resviz.spec.lab import LETTERS, plan_from_query, plan_to_query
from resviz.spec.net import NetSpec
from resviz.spec.plane import PlaneSpec
from resviz.spec.query import from_query, to_query_string
from resviz.spec.shortcuts import RACE_PARAMETERS, start_from_query, start_to_query
from resviz.spec.spot import SPOT_PARAMETERS, spot_from_query, spot_to_query
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec
from tests.fuzz.claims import BrokenClaim, sentence

__all__ = ["KINDS", "Own", "ask", "make"]


_KINDS = ("spec", "spec", "text", "lab", "lab", "replay", "spot", "race")
KINDS = 9


class Own(Exception):
    """Links are never refused: what cannot be read is left out and said."""


_SPEC = (
    "family",
    "net",
    *dict.fromkeys(
        (*fields_of(NetSpec), *fields_of(DenseSpec), *fields_of(TransformerSpec), *fields_of(UNetSpec), *fields_of(PlaneSpec))
    ),
)
_LAB = (*LETTERS, "data", "lr", "clip", "batch", "steps", "lab_seed", "noise", "share", "edits")
_FIELDS = (*_SPEC, *_LAB)
_GOOD = ("resnet56", "basic", "bottleneck", "preact-basic", "2-2-2", "1-1", "imagenet", "B", "0", "1", "8", "64", "1.0,2.1", "none", "group",
         "tanh", "transformer", "vit_digits", "0.mlp,1.attention", "post", "4", "2:cut:a:0.mlp", "unet", "unet_small", "up1.long,down1.0", "short", "discs", "2:cut:a:up1.long", "plane", "mlp20", "x-xy", "plane-xor", "densenet", "densenet40_k12", "1.2-0,2.1-1", "zero-gamma", "gated", "learned", "fixup", "digits", "own", "0.1", "3:cut:a:1.0,9:lr:0.01", "5:restore:b:2.1")  # fmt: skip
_ODD = ("", " ", "-1", "1e999", "nan", "inf", "-0", "0x10", "١٢", "²", "1_000", "9" * 5000, "1" * 11, "2147483648", "\0", "\n", "a\nb", "é",
        "😀", "%00", "%ff", "../..", "<script>", "![i](http://e.x)", "[a](https://e.x)", "layer1.0", "1.0,", ",,,", "0.0", "01.0", "1.01",
        "1.0," * 600, "1-" * 300, "512-512-512-512-512-512", "1-1-1-1-1-1-1", "True", "null", "{}", "--", "3:cut:e:1.0", "3:cut:a:9.9",
        "0:lr:1", "3:lr:nan", "3:lr:1e999", "3:lr:--1", "3:lr:" + "1" * 25, "9999999:cut:a:1.0", "1:cut:a:1.0," * 700, "1" * 4001, "+5", "5.0")  # fmt: skip
_EXPLAIN = ("model", "photo", "class", "against", "methods", "layers", "view")
_ASKED = ("resnet20-cifar10", "resnet18-imagenette", "Cat", "Temple", "saliency", "grad-cam,lrp", "layer1.0", "layer3.1,layer3.1", "Trust",
          "Many pictures", "cat", "saliency," * 90, "grad-cam@layer1.0", "your own checkpoint")  # fmt: skip


_RACE = ("skip", "branch", "noise", "identity.half", "fixup.norm", "56", "110", "150", "300", "0", "7")
_SPOT = ("layer1.0", "layer4.1", "0", "17", "511", "0.0", "4.5", "55.55", "layer1.0.conv1", "4.5.6", "65536", "1e3")


def _value(rng: Random, good: tuple[str, ...]) -> str:
    text = rng.choice(rng.choice((good, good, _ODD)))
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        at = rng.randrange(len(text) + 1)
        text = (
            text[:at]
            + rng.choice(("", ",", "-", ".", ":", "0", "9", "é", "&", "=", "%", "\t", rng.choice(_ODD)[:20]))
            + text[at + rng.choice((0, 1)) :]
        )
    return text


def make(rng: Random, index: int) -> tuple[str, tuple[str, Any]]:
    kind = "explain" if index % 25 == 6 else _KINDS[index % len(_KINDS)]  # which runs a page
    given: Any
    if kind == "text":
        query = {rng.choice((*_FIELDS, rng.choice(_ODD))): _value(rng, _GOOD) for _ in range(rng.choice((1, 3, 8, 80)))}
        given = rng.choice(("", "?", "??", "&&", "=")) + rng.choice(("&", "&&", ";")).join(
            f"{key}={value}" for key, value in query.items()
        )
    elif kind == "lab":
        given = {rng.choice(_LAB): _value(rng, _GOOD) for _ in range(rng.choice((1, 3, 8)))}
        for letter in rng.sample(LETTERS, rng.choice((1, 2, 6))):
            given[letter] = urlencode(
                {rng.choice(_SPEC): _value(rng, _GOOD) for _ in range(rng.choice((0, 1, 3)))}, errors="replace"
            )
    elif kind == "replay":
        given = _replayed(rng)
    elif kind == "race":
        given = {name: _value(rng, _RACE) for name in rng.sample(sorted(RACE_PARAMETERS), rng.choice((1, 2, 5)))}
    elif kind == "spot":
        given = {name: _value(rng, _SPOT) for name in rng.sample(sorted(SPOT_PARAMETERS), rng.choice((1, 2, 3)))}
    else:
        fields, good = (_EXPLAIN, _ASKED) if kind == "explain" else (_SPEC, _GOOD)
        given = {rng.choice(fields): _value(rng, good) for _ in range(rng.choice((1, 2, 5, 9)))}
    return f"{kind} {quote(str(given), errors='replace')[:200]}", (kind, given)


def _replayed(rng: Random) -> dict[str, str]:
    """A good lab's link with a part of it changed."""
    plan = COMPARISONS[rng.choice(list(COMPARISONS))](rng.choice((8, 20, 56)))
    query = plan_to_query(plan) | {
        "edits": ",".join(f"{n}:{rng.choice(('cut', 'restore'))}:a:{rng.choice(('1.0', '2.0', '3.9'))}" for n in range(1, 90))
    }
    name = rng.choice(list(query))
    at = rng.randrange(len(query[name]) + 1)
    return query | {name: query[name][:at] + _value(rng, _GOOD) + query[name][at + 1 :]}


def ask(asked: tuple[str, Any]) -> str:
    kind, given = asked
    if kind == "explain":
        return _explained(given)
    if kind == "spot":
        spot = spot_from_query(given)
        if spot_from_query(spot_to_query(spot)) != spot:
            raise BrokenClaim(f"{spot_to_query(spot)} is read as another spot")
        return "read"
    if kind == "race":
        start = start_from_query(given)
        if start_from_query(start_to_query(start)) != start or not start.plan.contenders:
            raise BrokenClaim(f"{start_to_query(start)} is read as another race")
        return "read"
    if kind in ("spec", "text"):
        spec, problems = from_query(given)
        if from_query(to_query_string(spec)) != (spec, ()):
            raise BrokenClaim(f"{to_query_string(spec)} is read as another network")
    else:
        plan, problems = plan_from_query(given)
        if plan is not None and plan_from_query(plan_to_query(plan)) != (plan, ()):
            raise BrokenClaim(f"{plan_to_query(plan)} is read as another lab")
        if plan is not None:
            plan.specs_at(10**6)
    for problem in problems:
        sentence(problem)
    return problems[0] if problems else "read"


def _explain_page() -> None:
    """Explain's controls that a link sets, as the page has them."""
    import streamlit as st

    from resviz.attribution.methods.table import METHODS
    from resviz.ui.explain.link import link, restore, usual, valid
    from resviz.ui.explain.views import VIEWS
    from resviz.ui.networks import bundled_titles

    restore()
    model = st.selectbox(
        "Network",
        [*bundled_titles(), "resnet50.V2"],
        key=valid("explain.network", [*bundled_titles(), "resnet50.V2"], usual()[0]),
    )
    photo, blocks = st.session_state["explain.sample"], [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in (0, 1, 2)]
    classes, place = ["cat", "dog", "church"], f"{model}.sample {photo}"
    target = st.selectbox("Class", classes, key=valid(f"class.{place}", classes))
    st.selectbox("Rather than", classes, index=None, key=valid(f"against.{place}.{target}", classes))
    st.multiselect("Methods", METHODS, key=valid("explain.methods", METHODS, ["saliency"], 8), max_selections=8)
    at = st.multiselect("Layers", blocks, key=valid(f"layers.{model}", blocks, blocks[-1:], 6), max_selections=6)
    view = st.segmented_control("View", VIEWS, required=True, key=valid("explain.view", VIEWS, "Compare"))
    st.query_params.from_dict(link({"model": model, "photo": photo, "class": target, "layers": ",".join(at), "view": view}, {}))


def _explained(query: dict[str, str]) -> str:
    page = AppTest.from_function(_explain_page, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    if page.exception:
        raise BrokenClaim(f"the page ends with {page.exception[0].message}")
    return "read"
