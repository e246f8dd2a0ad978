"""The page about blocks: its link, its sums, its sliders, and that it shares photograph and network with Explain."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Slider

from resviz.data.uploads import sample_photographs
from resviz.probes.inside import forward, look
from resviz.spec.net import NetSpec
from resviz.ui import cache
from resviz.zoo.classifier import predict
from tests.pages.test_pages import button, opened

PAGE = "pages/inside.py"
LINK = {"model": "resnet20-cifar10", "photo": "Temple", "unit": "layer2.1", "channel": "3", "pixel": "4.5"}


def asked(at: AppTest) -> dict[str, str]:
    """The address without the session's network."""
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def texts(at: AppTest) -> str:
    return "\n".join(each.value for each in (*at.markdown, *at.caption, *at.header, *at.info))


def html(at: AppTest) -> str:
    return "\n".join(each.proto.body for each in at.get("html"))


def slider(at: AppTest, start: str) -> Slider:
    return next(each for each in at.slider if each.label.startswith(start))


def test_a_link_restores_block_channel_and_position() -> None:
    at = opened(PAGE, **LINK)
    assert not at.exception
    assert "channel 3, row 4, column 5" in texts(at)
    assert "**layer2.1** adds" in texts(at)
    wanted = {name: value for name, value in LINK.items() if value not in ("resnet20-cifar10",)}
    assert asked(at) == wanted  # which is the network that the page begins with


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"unit": "layer9.9", "channel": "3"}, {}),
        ({"unit": "<script>", "pixel": "1.1"}, {}),
        ({"unit": "layer1.1", "channel": "-1", "pixel": "0.0"}, {"unit": "layer1.1"}),
        ({"unit": "layer1.1", "channel": "16"}, {"unit": "layer1.1"}),
        ({"unit": "layer1.1", "channel": "²", "pixel": "1"}, {"unit": "layer1.1"}),
        ({"unit": "layer1.1", "channel": "2", "pixel": "32.0"}, {"unit": "layer1.1", "channel": "2"}),
        ({"unit": "layer1.1", "channel": "2", "pixel": "1.1.1"}, {"unit": "layer1.1", "channel": "2"}),
        ({"model": "no such", "photo": "no such"}, {}),
    ],
)
def test_nonsense_in_a_link_is_ignored(given: dict[str, str], left: dict[str, str]) -> None:
    at = opened(PAGE, **given)
    assert not at.exception
    assert not at.error
    (warning,) = at.warning
    named = [word for name, word in given.items() if name not in left]
    assert all(word in warning.value.replace("\\", "") for word in named)
    assert asked(at) == left


def test_the_words_are_what_the_network_computed() -> None:
    at = opened(PAGE, **LINK)
    classifier = cache.bundled("resnet20-cifar10")
    net = classifier.private_view()
    kept = forward(net, classifier.preprocessing.tensor(sample_photographs()["Temple"]))
    seen = look(net, kept, "layer2.1")
    assert f"**{seen.ratio:.3f} times**" in texts(at)
    shown = [float(text.replace("−", "-")) for text in re.findall(r"</th><td>([−\d.]+)</td>", html(at))]
    for tensor in (seen.residual, seen.identity, seen.joined, seen.output):
        assert np.isclose(shown, tensor[3, 4, 5], atol=2e-3).any()


def test_without_its_branch_the_answer_is_that_of_a_network_without_it() -> None:
    at = opened(PAGE, model="resnet20-cifar10", photo="Cat", unit="layer1.0")
    assert "with this block changed" not in html(at)
    slider(at, "F(x)").set_value(0.0).run()
    assert not at.exception
    classifier = cache.bundled("resnet20-cifar10")
    lesioned = classifier.private_view(NetSpec(**{**vars(classifier.spec), "dropped": frozenset({"layer1.0"})}))
    best, p = predict(classifier, sample_photographs()["Cat"], lesioned).top(1)[0]
    assert "with this block changed" in html(at)
    assert f"{100 * p:.1f} %" in html(at)
    assert re.search(rf"With F\(x\) × 0 in this block alone the answer is (still )?\*\*{best}\*\*", texts(at))
    assert "‖F(x)‖/‖x‖): it adds nothing" in texts(at)
    button(at, "As it was").click().run()
    assert "with this block changed" not in html(at)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in classifier.net.modules())


def test_the_try_chips_look_at_the_block_that_adds_most_and_take_branches_away() -> None:
    at = opened(PAGE, model="resnet20-cifar10", photo="Cat")
    button(at, "The block that adds most").click().run()
    classifier = cache.bundled("resnet20-cifar10")
    net = classifier.private_view()
    kept = forward(net, classifier.preprocessing.tensor(sample_photographs()["Cat"]))
    most = max(kept.entered, key=lambda unit: look(net, kept, unit).ratio)
    assert asked(at)["unit"] == most
    button(at, "Without x").click().run()
    assert slider(at, "x ×").value == 0
    assert f"x ×0 in {most}" not in texts(at)
    assert "With x × 0 in this block alone" in texts(at)


def test_channels_can_be_ordered_by_what_they_do_for_a_class() -> None:
    at = opened(PAGE, model="resnet20-cifar10", photo="Cat")
    order = next(each for each in at.get("button_group") if each.label.startswith("Channels"))
    order.set_value("effect").run()
    assert not at.exception
    chosen = next(box for box in at.selectbox if box.label == "for the class")
    assert chosen.value == chosen.options[0]
    chosen.set_value("ship").run()
    assert not at.exception


def test_a_plain_network_has_no_x_to_add() -> None:
    at = opened(PAGE, model="plain20-cifar10")
    assert not at.exception
    assert "has no skip" in texts(at)
    assert [each.label for each in at.slider if "×" in each.label] == ["F(x) × in layer1.0"]
    assert "x + F(x)" not in html(at)


def test_photograph_and_network_go_along_between_the_pages_that_ask_about_them() -> None:
    at = opened("pages/explain.py", model="resnet56-cifar10", photo="Rocket", view="Through the depth")
    assert not at.exception
    at.switch_page(PAGE).run()
    assert not at.exception
    assert asked(at) == {"model": "resnet56-cifar10", "photo": "Rocket"}
    next(box for box in at.selectbox if box.label == "Sample").set_value("Temple").run()
    assert asked(at) == {"model": "resnet56-cifar10", "photo": "Temple"}
    at.switch_page("pages/explain.py").run()
    assert not at.exception
    left = asked(at)
    assert (left["model"], left["photo"]) == ("resnet56-cifar10", "Temple")
    at.switch_page(PAGE).run()
    assert asked(at) == {"model": "resnet56-cifar10", "photo": "Temple"}


def test_why_a_number_is_what_it_is() -> None:
    at = opened(PAGE, **LINK)
    box = next(each for each in at.selectbox if each.label == "Why is it what it is?")
    assert box.value == "Gradient"
    box.set_value("integrated-gradients").run()
    assert not at.exception
    notes = [node.proto.json for node in at.get("bidi_component") if "its value for the mean-coloured picture" in str(node.proto)]
    assert notes


def test_a_link_holds_the_sliders() -> None:
    at = opened(PAGE, **LINK, branch="0", skip="1.5")
    assert not at.exception
    assert (slider(at, "F(x)").value, slider(at, "x ×").value) == (0, 1.5)
    assert "With F(x) × 0 and x × 1.5 in this block alone" in texts(at)
    assert asked(at) == {**{k: v for k, v in LINK.items() if k != "model"}, "branch": "0", "skip": "1.5"}
    slider(at, "F(x)").set_value(0.5).run()
    assert asked(at)["branch"] == "0.5"
    button(at, "As it was").click().run()
    assert not {"branch", "skip"} & asked(at).keys()


def test_the_block_that_the_page_chose_is_in_the_link_once_it_is_changed() -> None:
    at = opened(PAGE, model="resnet20-cifar10")
    assert "unit" not in asked(at)
    slider(at, "x ×").set_value(0.0).run()
    assert asked(at) == {"unit": "layer1.0", "skip": "0"}
    assert slider(at, "x ×").value == 0


def test_the_samples_that_turn_a_channel_on_and_the_first_filters() -> None:
    at = opened(PAGE, **LINK)
    classifier = cache.bundled("resnet20-cifar10")
    net, most = classifier.private_view(), {}
    for name, image in sample_photographs().items():
        kept = forward(net, classifier.preprocessing.tensor(image))
        most[name] = float(look(net, kept, "layer2.1").output[3].max())
    best = max(most, key=most.__getitem__)
    assert f"Channel 3 of layer2.1 is on most for **{best}**" in texts(at)
    captions = [node.proto.imgs[0].caption for node in at.get("image")]
    named = [caption.split(" · ")[0] for caption in captions if "·" in caption]
    assert named == sorted(most, key=most.__getitem__, reverse=True)
    assert "16 filters of 3×3 pixels" in texts(at)
