"""Where one looks in a network, as a link holds it, and a number as the page writes it down."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from resviz.figures.captions import changed_note, field_note, forming_note, neuron_note, unit_note
from resviz.figures.inside import answers, boxed, fixed, forming, ledger, products
from resviz.probes.inside import forward
from resviz.probes.taken_apart import arithmetic
from resviz.results import Arithmetic, Attribution, Box, Field, Inside, Prediction
from resviz.results.inside import Mapped
from resviz.spec.spot import Spot, lost, spot_from_query, spot_to_query
from tests.test_inside import bundled


@pytest.mark.parametrize(
    "spot",
    [
        Spot(),
        Spot("layer1.0"),
        Spot("layer1.0", 0),
        Spot("layer4.1", 511, (0, 6)),
        Spot("layer1.0", branch=0.0, skip=1.5),
        Spot("layer1.0", 3, (1, 2), skip=0.35),
    ],
)
def test_a_spot_comes_back_from_its_link(spot: Spot) -> None:
    assert spot_from_query(spot_to_query(spot)) == spot


@pytest.mark.parametrize(
    "query",
    [
        {"channel": text, "pixel": pixel}
        for text in ("-1", "1.5", "", " 1", "1" * 400, "١", "01", "nan", "1\n")
        for pixel in ("1.1", "x", "9" * 4000)
    ],
)
def test_no_text_breaks_a_spot(query: dict[str, str]) -> None:
    assert spot_from_query(query | {"unit": "layer1.0"}) == Spot("layer1.0")


@pytest.mark.parametrize("text", ["1.55", "-0.5", "nan", "2", "1e0", "0.123", "٠", "", "1."])
def test_what_is_no_step_of_the_sliders_is_one(text: str) -> None:
    assert spot_from_query({"unit": "layer1.0", "branch": text, "skip": text}) == Spot("layer1.0")
    assert spot_from_query({"unit": "layer1.0", "branch": "0.33"}).branch == 0.35


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ()),
        ({"unit": "layer1.0", "channel": "3", "pixel": "1.2", "branch": "1", "skip": "0.33"}, ()),
        ({"unit": "layer1.0", "branch": "1.0", "skip": "1.00"}, ()),
        ({"unit": "layer1.0", "channel": "x", "pixel": "1.2"}, ("channel", "pixel")),
        ({"unit": "layer1.0", "channel": "3", "pixel": "1.2.3"}, ("pixel",)),
        ({"unit": "layer1.0", "branch": "1.55", "skip": "2"}, ("branch", "skip")),
        ({"branch": "0.5"}, ("branch",)),
    ],
)
def test_what_a_spot_does_not_hold_of_its_link_is_known(query: dict[str, str], names: tuple[str, ...]) -> None:
    assert lost(query, spot_from_query(query)) == {name: query[name] for name in names}


def test_a_spot_of_another_network_or_block_is_left_open() -> None:
    spot = Spot("layer2.0", 17, (9, 9))
    assert spot.within(["layer1.0"]) == Spot()
    assert spot.within(["layer2.0"]) == spot
    assert spot.inside((17, 16, 16)) == Spot("layer2.0")
    assert spot.inside((18, 9, 16)) == Spot("layer2.0", 17)
    assert spot.inside((18, 10, 10)) == spot


def test_numbers_that_are_added_up_have_equally_many_decimals() -> None:
    assert fixed([1.64891, -2.07662, -0.42771]) == ["1.649", "−2.077", "−0.428"]
    assert fixed([1.5, -0.0001, -0.001]) == ["1.500", "0.000", "−0.001"]
    assert fixed([0.0, 0.0]) == ["0.0", "0.0"]


def found(**factors: float) -> Arithmetic:
    net, picture = bundled("resnet20-cifar10")
    return arithmetic(net, forward(net, picture), "layer2.1", (3, 4, 5), **factors)


@pytest.mark.parametrize("factors", [{}, {"branch": 0.5}, {"branch": 0.0, "skip": 1.5}])
def test_every_line_under_a_rule_is_the_sum_of_those_above_it(factors: dict[str, float]) -> None:
    drawn = ledger(found(**factors))
    lines = re.findall(r'<tr class="(\w*)"><th scope="row"><i>(.?)</i>(.*?)</th><td>(.*?)</td>', drawn)
    held, total = [], 0.0
    for css, sign, _, text in lines:
        value = float(text.replace("−", "-"))
        if css == "total" and sign == "=":
            assert sum(held) == pytest.approx(value, abs=6e-3)
            held, total = [value], value
        elif css == "total":  # scaled, or after the activation
            held, total = [value], value
        elif sign == "" and held and css == "":
            held = [value]  # scaled by the norm
        else:
            held.append(value)
    assert total == pytest.approx(max(0.0, found(**factors).joined), abs=2e-3)


def test_the_products_file_adds_up() -> None:
    one = found()
    rows = [line.split(",") for line in products(one).splitlines()[1:]]
    assert len(rows) == one.weights.size
    assert sum(float(row[-1]) for row in rows) == pytest.approx(one.convolved)
    assert all(float(row[3]) * float(row[4]) == pytest.approx(float(row[5]), rel=1e-6) for row in rows)


def prediction(*probabilities: float) -> Prediction:
    names = tuple(f"class {i} <b>" for i in range(len(probabilities)))
    return Prediction(names, np.array(probabilities))


def test_answers_are_side_by_side_and_names_from_outside_stay_words() -> None:
    drawn = answers({"as it is": prediction(0.7, 0.2, 0.1), "changed": prediction(0.1, 0.2, 0.7)})
    assert "<b>" not in drawn
    assert drawn.count("70.0 %") == 2
    assert drawn.index("class 0") < drawn.index("class 1") < drawn.index("class 2")


def test_what_a_change_does_is_told_as_it_is() -> None:
    before, after = prediction(0.7, 0.2, 0.1), prediction(0.1, 0.2, 0.7)
    first, last = "**class 0 <b>**", "**class 2 <b>**"
    said = {
        (1.0, 1.0): f"{first} with 70 %, with this block as it is.",
        (0.0, 1.0): f"With F(x) × 0 in this block alone the answer is still {first}, with 60 % instead of 70 %.",
        (0.0, 1.5): f"With F(x) × 0 and x × 1.5 in this block alone the answer is still {first}, with 60 % instead of 70 %.",
    }
    for factors, sentence in said.items():
        assert changed_note(before, prediction(0.6, 0.4, 0.0), factors) == sentence
    lost = f"the answer is {last} with 70 % and no longer {first}, which keeps 10 % of 70 %."
    assert changed_note(before, after, (1.0, 0.0)) == f"With x × 0 in this block alone {lost}"


def test_an_answer_that_changes_its_mind_leads_from_where_it_stays() -> None:
    read = {"a": prediction(0.7, 0.3), "b": prediction(0.4, 0.6), "c": prediction(0.2, 0.8)}
    told = "Read out after a, the head gives **class 1 <b>** 30 %; after c, 80 %. It leads from b on."
    assert forming_note(read, None, "a") == told
    led = "Read out after b, the head gives **class 1 <b>** 60 %; after c, 80 %. It leads all the way."
    assert forming_note({"b": read["b"], "c": read["c"]}, None, "b") == led
    ends = "Without the skip of b the end is"
    assert forming_note(read, {"c": read["a"]}, "b") == f"{told} {ends} **class 0 <b>** with 70 %."
    assert forming_note(read, {"c": read["b"]}, "b") == f"{told} {ends} still **class 1 <b>**, with 60 %."


def test_a_class_has_the_same_line_in_both_charts() -> None:
    end, other = prediction(0.4, 0.3, 0.1, 0.1, 0.06, 0.04), prediction(0.02, 0.03, 0.1, 0.1, 0.2, 0.55)
    first, second = forming({"a": other, "b": end}), forming({"a": end, "b": other}, {"b": end})
    styles = {line.name: line.style for line in first.series}
    assert [line.name for line in second.series][:2] == ["class 5 <b>", "class 4 <b>"]
    assert all(styles.get(line.name, line.style) == line.style for line in second.series)
    assert len({line.style for line in (*first.series, *second.series)}) == 6
    assert list(first.series[0].y) == pytest.approx([2.0, 40.0])


def seen(ratio: float) -> Inside:
    x = np.ones((1, 2, 2), np.float32)
    return Inside("layer1.0", x, ratio * x, x + ratio * x, x + ratio * x, "identity", "ReLU")


def test_how_much_a_block_adds_is_judged_by_its_ratio() -> None:
    judged: dict[float, tuple[str, str]] = {
        0.0: ("0", "it adds nothing"),
        0.05: ("0.0500", "it leaves what passes by almost as it is"),
        0.3: ("0.300", "it corrects what passes by"),
        0.7: ("0.700", "it changes what passes by with more than half of its strength"),
        2.0: ("2.00", "what it adds outweighs what it was given"),
    }
    colours = "Amber is above zero, violet below."
    skip = "the x that its skip brings as it came (‖F(x)‖/‖x‖)"
    for ratio, (times, said) in judged.items():
        adds = f"adds an F(x) that is **{times} times** as strong as"
        assert unit_note(seen(ratio)) == f"**layer1.0** {adds} {skip}: {said}. {colours}"
    brings: dict[Mapped, str] = {
        "weighed": "what its skip leaves of x by its factor or gate",
        "zero-pad": "the x that its skip brings, every second pixel and padded with zero channels",
        "projection": "what its skip makes of x by a 1×1 convolution",
        "parallel": "what its skip makes of x by a norm and a 1×1 convolution beside it",
    }
    for mapped, skip in brings.items():
        assert f" as strong as {skip} (‖F(x)‖/‖x‖): " in unit_note(replace(seen(2), mapped=mapped))
    none = "has no skip: what leaves it is F(x) alone, and nothing of x is added."
    assert unit_note(replace(seen(1), mapped="none")) == f"**layer1.0** {none} {colours}"
    nothing = replace(seen(1), identity=np.zeros((1, 2, 2), np.float32))
    assert unit_note(nothing) == f"**layer1.0**: its skip brings nothing, so the sum is F(x) alone. {colours}"


def test_a_field_is_told_by_its_box_and_its_core() -> None:
    strength = np.zeros((8, 8), np.float32)
    strength[2, 3] = 1
    found = Field(Box(1, 1, 5, 6), strength)
    assert found.core == 1 / 20
    box = "This number can see the 5×4 pixels in the box, 31 % of the picture"
    half = "What moves it is less: half of the gradient lies on {} of them, the brighter the stronger."
    assert field_note(found) == f"{box}. {half.format('5.0 %')}"
    whole = field_note(Field(Box(0, 0, 8, 8), strength))
    assert whole == f"This number can see the whole picture, 8×8 pixels. {half.format('1.6 %')}"
    assert field_note(Field(Box(1, 1, 5, 6), np.zeros((8, 8), np.float32))) == f"{box}; none of them moves it now."


@pytest.mark.parametrize(
    ("values", "delta", "change", "words"),
    [
        ([3.0, -1.0], 0.1, 2.0, ("2.00 above", "75 %", "miss that by 5.0 %")),
        ([1.0, -3.0], None, -2.0, ("2.00 below", "25 %", "the rest smaller.")),
        ([0.0, 0.0], 0.0, 0.0, ("what it is for the mean-coloured picture", "nothing everywhere")),
        ([1.0, -1.0], 0.5, 0.0, ("what it is for the mean-coloured picture", "50 %")),
    ],
)
def test_why_a_number_is_what_it_is_in_words(
    values: list[float], delta: float | None, change: float, words: tuple[str, ...]
) -> None:
    note = neuron_note(Attribution("m", 0, np.array([values]), True, delta=delta, target_change=change), "Captum's")
    assert all(each in note for each in words), note


def test_the_box_is_drawn_where_it_lies() -> None:
    from PIL import Image

    drawn = np.asarray(boxed(Image.new("RGB", (64, 64), "grey"), Box(1, 2, 5, 8), 8)).astype(int)
    changed = (drawn != 128).any(-1)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (8, 39, 16, 63)
