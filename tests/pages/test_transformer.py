"""The pages that know every family show a Transformer, and what is cut there is what its link says."""

from __future__ import annotations

import pytest

from resviz.spec.choices import Around, NormPlace
from resviz.spec.families import SPECS
from resviz.spec.fields import fields_of
from resviz.spec.lab import PARAMETERS
from resviz.spec.landscape import LANDSCAPE_PARAMETERS
from resviz.spec.net import NetSpec
from resviz.spec.shortcuts import RACE_PARAMETERS
from resviz.spec.tour import TOUR_PARAMETERS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.ui.components import diagram
from resviz.ui.state import ANATOMY_PARAMETERS, EXPLAIN_PARAMETERS, INSIDE_PARAMETERS
from tests.pages.test_dense import measured, opened, words

FIRST = "encoder.layers.encoder_layer_0.attention"


def test_build_goes_from_family_to_family() -> None:
    at = opened("build")
    at.button_group(key="family").set_value("transformer").run()
    assert at.session_state["spec"] == TransformerSpec()
    assert at.query_params["family"] == "transformer"
    assert "**ViT-6/2 · d=64 · 4 heads · pre-norm · Xavier**" in words(at)
    assert "of which 12 % are between tokens" in words(at)
    at.segmented_control(key="spec.norm").set_value(NormPlace.POST).run()
    assert at.selectbox(key="preset").value == "vit_digits_post"
    at.segmented_control(key="spec.around").set_value(Around.ATTENTION).run()
    assert "skips around attention alone" in words(at)
    at.segmented_control(key="skips").set_value("all").run()
    assert at.session_state["spec"] == TransformerSpec(norm=NormPlace.POST)
    at.number_input(key="spec.mlp").set_value(0).run()
    assert list(at.session_state["spec"].block_names())[1] == "encoder.layers.encoder_layer_1.attention"
    at.number_input(key="spec.patch").set_value(3).run()
    assert at.session_state["spec"].patch == 2  # which divides the image
    at.button_group(key="family").set_value("resnet").run()
    assert isinstance(at.session_state["spec"], NetSpec)
    assert "family" not in at.query_params
    assert not at.exception


@pytest.mark.parametrize("name", ["vit_b_16", "plain_vit_digits"])
def test_build_opens_a_network_of_the_paper(name: str) -> None:
    at = opened("build", net=name)
    assert at.session_state["spec"] == TRANSFORMER_PRESETS[name]
    assert "a class token, of which the classifier is asked" in words(at)
    assert not at.exception
    assert not at.error


def test_clicks_cut_each_skip_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("build", net="plain_vit_digits")
    state = at.session_state
    monkeypatch.setattr("streamlit.session_state", state)
    names = set(TransformerSpec().block_names())
    for action, cut in (
        (f"cut:{FIRST}", names - {FIRST}),
        (f"cut:{FIRST}", names),
        ("cut:nothing", names),
        ("sever:nothing<1", names),
    ):
        diagram.handle(action)
        assert (state["spec"].residual, state["spec"].cut) == (True, cut), action


def test_gradients_of_a_transformer_its_rank_and_what_it_reads() -> None:
    at = measured(opened("gradients", family="transformer", num_layers="2", dim="16", heads="2", cut="0.attention"))
    assert "**With 3 of 4 skips** the gradient stays level" in words(at)
    assert "that of the last matrix, `encoder.layers.encoder_layer_1.mlp.3`" in words(at)
    at.toggle[0].set_value(True).run()
    at = measured(at)
    assert "**without skips**" in words(at)
    assert "**as cut**" in words(at)
    at.toggle[1].set_value(True).run()
    at.segmented_control(key="attention.steps").set_value(0).run()
    at = measured(at)
    assert "at its initial weights" in words(at)
    assert not at.exception
    assert not at.error


def test_the_lab_takes_a_transformer_beside_a_resnet_on_its_images() -> None:
    at = opened("lab", a="net=vit_b_16&num_layers=2&dim=16&heads=2", b="net=resnet20")
    contenders = at.session_state["lab"].plan.contenders
    assert [(spec.in_channels, spec.classes) for spec in contenders] == [(1, 10), (1, 10)]
    assert contenders[0].image == 8
    at.selectbox(key="lab.compare").set_value("ViT or plain").run()
    assert [spec.title for spec in at.session_state["lab"].plan.contenders] == ["ViT-6/2", "Plain ViT-6/2"]
    at.selectbox(key="lab.depth").set_value(2).run()
    at.selectbox(key="lab.data").set_value("spirals").run()
    at = measured(at)
    plan = at.session_state["lab"].plan
    assert [(spec.image, spec.patch, spec.num_layers, spec.classes) for spec in plan.contenders] == [(16, 4, 2, 2)] * 2
    assert not at.exception
    assert not at.error


def test_what_reads_symbols_has_sequences_on_every_page_that_knows_it() -> None:
    build = opened("build", net="transformer_copy")
    assert "**Transformer-4 (9 of 9 symbols) · d=64" in words(build) or "**Transformer-4 · d=64" in words(build)
    assert "spec.vocabulary" in {each.key for each in build.number_input}
    gradients = measured(opened("gradients", net="transformer_copy", num_layers="2", dim="16", heads="2"))
    assert "that of the last matrix" in words(gradients)
    assert not [each for each in gradients.selectbox if each.label == "Batch"]  # there is no other
    gradients.toggle[1].set_value(True).run()
    gradients.segmented_control(key="attention.steps").set_value(0).run()
    gradients = measured(gradients)
    assert "at its initial weights, asked for" in words(gradients)
    lab = opened("lab", a="net=vit_digits")
    lab.selectbox(key="lab.compare").set_value("Copying symbols").run()
    lab.selectbox(key="lab.depth").set_value(2).run()
    lab = measured(lab)
    plan = lab.session_state["lab"].plan
    assert (plan.data, [spec.title for spec in plan.contenders]) == ("copy", ["Transformer-2", "Plain Transformer-2"])
    for at in (build, gradients, lab):
        assert not at.exception
        assert not at.error


@pytest.mark.parametrize("family", SPECS)
def test_no_field_of_a_network_is_a_parameter_of_a_page(family: str) -> None:
    taken = PARAMETERS | EXPLAIN_PARAMETERS | INSIDE_PARAMETERS | RACE_PARAMETERS | ANATOMY_PARAMETERS | LANDSCAPE_PARAMETERS
    assert not (taken | TOUR_PARAMETERS) & set(fields_of(SPECS[family]))
