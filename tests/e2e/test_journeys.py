"""What a visitor is promised, in a real browser."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from resviz.attribution.question import Asked, Case, attribute
from resviz.data.uploads import sample_photographs
from resviz.figures.overlay import Look, OverlayStyle, overlay_image
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import predict
from tests.e2e.conftest import Server, ready


def photograph() -> bytes:
    buffer = io.BytesIO()
    sample_photographs()["Cat"].save(buffer, "JPEG")
    return buffer.getvalue()


def norms(page: Page) -> str:
    """The residual network's line in the first chart."""
    return page.locator("path[data-series=residual]").first.get_attribute("d") or ""


def test_clicking_an_arc_cuts_the_skip_and_changes_the_gradients(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(page)
    before = norms(page)
    page.locator("[data-action='cut:layer2.1']").first.dispatch_event("click")
    expect(page.locator("[data-action='cut:layer2.1']").first).to_have_attribute("aria-checked", "false")
    ready(page)
    assert norms(page) != before
    assert "cut=2.1" in page.url


def test_a_cut_on_the_build_page_is_the_cut_of_the_gradient_figure(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?blocks=2-2-2")
    ready(page)
    arc = page.locator("[data-action='cut:layer1.1']").first
    arc.evaluate("""path => {
        const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
        path.dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true, clientX: at.x, clientY: at.y}));
    }""")
    expect(arc).to_have_attribute("aria-checked", "false")
    page.get_by_role("link", name="Gradients", exact=True).first.click()
    expect(page.get_by_role("heading", name="What does a skip")).to_be_visible()
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    ready(page)
    cut = norms(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 skip cut")).to_have_count(0)
    ready(page)
    assert norms(page) != cut


def test_a_skip_can_be_cut_with_the_keyboard(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?blocks=2-2-2")
    ready(page)
    arc = page.locator("[data-action='cut:layer3.1']").first
    arc.focus()
    page.keyboard.press("Enter")
    expect(arc).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Space")
    expect(page.locator("[data-action='cut:layer3.1']").first).to_have_attribute("aria-checked", "true")


def test_two_visitors_never_see_each_other(server: Server, page: Page, browser: Browser) -> None:
    context = browser.new_context()
    other = context.new_page()
    for visitor in (page, other):
        visitor.goto(f"{server.url}/gradients?blocks=2-2-2")
        ready(visitor)
    untouched = norms(other)
    page.locator("[data-action='cut:layer2.1']").first.dispatch_event("click")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    other.get_by_role("button", name="Reset", exact=True).click()
    expect(other.get_by_text("ResNet-56").first).to_be_visible()
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    other.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(other)
    expect(other.get_by_text("skip cut")).to_have_count(0)
    assert norms(other) == untouched
    context.close()


def test_a_clicked_point_shows_its_layer(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(page)
    page.locator(".chart .point").nth(5).hover(force=True)
    expect(page.locator(".tooltip").first).to_be_visible()
    expect(page.locator(".diagram .lit").first).to_be_attached()  # hovering links the chart and the diagram
    page.locator(".chart .point").nth(5).click(force=True)
    expect(page.locator(".diagram .selected").first).to_be_visible()
    name = page.locator(".diagram .selected").first.get_attribute("data-name")
    expect(page.get_by_text(f"{name} · conv").first).to_be_visible()


def test_the_depth_sweep_fills_in(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(page)
    page.get_by_text("Sweep the depth").click()
    expect(page.get_by_text("The gradient's course with depth")).to_be_visible()
    expect(page.locator(".js-plotly-plot .heatmaplayer").first).to_be_attached()


def test_permalink_shows_the_same_network_in_a_fresh_browser(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?blocks=2-2-2&cut=1.1")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    expect(page.locator("[data-action='cut:layer1.1']").first).to_have_attribute("aria-checked", "false")


def give(page: Page, data: bytes) -> None:
    page.get_by_role("radio", name="Compare").wait_for()  # a fresh server draws the page in two goes
    ready(page)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").first.set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": data})


def test_uploaded_photograph_is_predicted_and_explained(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain?model=resnet18-imagenette")
    ready(page)
    give(page, photograph())
    expect(page.get_by_text("cat.jpg").first).to_be_visible()
    expect(page.get_by_text("Entropy").first).to_be_visible()
    expect(maps(page)).to_have_count(4)
    before = drawn(page, "saliency")
    explain_class(page, "church")
    assert drawn(page, "saliency") != before


def test_a_hasty_visitor_keeps_the_usual_methods(page: Page, tmp_path: Path) -> None:
    """Upload is pressed as soon as the methods are on a fresh server's page, which ends that drawing half way."""
    fresh = Server(tmp_path / "log")
    page.add_init_script(
        """new MutationObserver((_, me) => {
            const upload = [...document.querySelectorAll("[role=radio]")].find(each => each.textContent.trim() === "Upload")
            if (!upload || !document.querySelector("[data-testid=stMultiSelect]")) return
            me.disconnect(); upload.click()
        }).observe(document, {childList: true, subtree: true})"""
    )
    page.goto(f"{fresh.url}/explain?model=resnet18-imagenette")
    page.locator("input[type=file]").first.set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photograph()})
    expect(page.get_by_text("Entropy").first).to_be_visible()
    expect(maps(page)).to_have_count(4)
    page.goto("about:blank")
    fresh.stop()


def maps(page: Page) -> Locator:
    """The finished maps of the comparison."""
    return page.locator("[data-drawn^='map-']")


def drawn(page: Page, method: str) -> str:
    """The pixels that a map shows."""
    canvas = page.locator(f"[data-drawn^='map-{method}'] canvas")
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def explain_class(page: Page, name: str) -> None:
    count = maps(page).count()
    ready(page)
    page.get_by_role("combobox", name="Class to explain").click()
    page.get_by_role("option", name=name).click()
    expect(page.locator(f"canvas[aria-label*='evidence for {name}']")).to_have_count(count)
    ready(page)


def test_pictures_zoom_wipe_and_point_together(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    expect(maps(page)).to_have_count(4)
    reading = page.locator(".read").filter(has_text="rgb(")  # the photograph's own
    page.locator("[data-drawn^='map-saliency'] canvas").hover(position={"x": 60, "y": 60})
    expect(reading).to_have_count(1)
    expect(page.get_by_text("% of the map")).to_have_count(4)  # the pixel is read in every map
    page.locator("h1").hover()
    expect(reading).to_have_count(0)
    whole = {method: drawn(page, method) for method in ("saliency", "occlusion")}
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".zoom")).to_have_text("150 %")
    assert all(drawn(page, method) != before for method, before in whole.items())
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(".zoom")).to_have_text("100 %")
    assert drawn(page, "saliency") == whole["saliency"]
    handle = page.get_by_role("slider", name="Wipe").first
    handle.focus()
    page.keyboard.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", "0")
    page.wait_for_timeout(100)
    # the bare photograph, under the large map and, in one size, under the others
    assert drawn(page, "saliency") != whole["saliency"]
    assert drawn(page, "integrated-gradients") == drawn(page, "occlusion") != whole["occlusion"]
    page.keyboard.press("End")
    pictures = {whole["saliency"]}
    for style in ("Heat", "Contour", "Masked"):
        page.get_by_label(style, exact=True).check(force=True)
        page.wait_for_timeout(100)
        pictures.add(drawn(page, "saliency"))
    assert len(pictures) == 4
    picture = page.locator("[data-drawn^='map-saliency']")
    picture.hover()
    with page.expect_download() as saved:
        picture.get_by_role("button", name="SVG").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert text.count("data:image/") == 2  # the photograph and the map
    with page.expect_download() as saved:
        picture.get_by_role("button", name="PNG").click()
    with Image.open(saved.value.path()) as image:
        assert image.size == (896, 896)
    ready(page)


def test_a_view_can_become_the_photograph(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    expect(maps(page)).to_have_count(4)
    answer = page.get_by_text("Entropy").first.inner_text()
    canvas = page.locator("[data-drawn=photograph] canvas")
    canvas.dblclick(position={"x": 60, "y": 90})
    canvas.dblclick(position={"x": 60, "y": 90})
    page.get_by_role("button", name="Crop to this view").click()
    expect(page.get_by_text("Entropy").first).not_to_have_text(answer)
    expect(page.locator(".zoom")).to_have_text("100 %")
    page.get_by_role("button", name="Crop and rotate").click()
    page.get_by_role("button", name="Whole photograph again").click()
    expect(page.get_by_text("Entropy").first).to_have_text(answer)


@pytest.mark.parametrize("style", ["Signed", "Heat"])
def test_a_picture_on_the_page_is_the_picture_in_the_report(style: str, server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain?model=resnet18-imagenette&photo=Temple")
    ready(page)
    expect(maps(page)).to_have_count(4)
    page.get_by_label(style, exact=True).check(force=True)
    page.wait_for_timeout(300)
    shown = page.locator("[data-drawn^='map-grad-cam'] canvas").evaluate("""canvas => {
        const sheet = document.createElement('canvas');
        sheet.width = sheet.height = 64;
        sheet.getContext('2d').drawImage(canvas, 0, 0, 64, 64);
        return [...sheet.getContext('2d').getImageData(0, 0, 64, 64).data];
    }""")
    classifier, image = load_bundled("resnet18-imagenette"), sample_photographs()["Temple"]
    best = classifier.categories.index(predict(classifier, image).top(1)[0][0])
    found = attribute(Case(classifier, image, best), Asked("grad-cam"))
    look = Look(style=OverlayStyle(style.lower()))
    expected = overlay_image(classifier.preprocessing.window(image), found, look).resize((64, 64))
    off = np.abs(np.array(shown).reshape(64, 64, 4)[..., :3] - np.asarray(expected, np.float64))
    assert off.mean() < 8  # of 255; the browser resamples in its own way
    ready(page)


def test_a_photograph_is_explained_judged_and_reported(server: Server, page: Page, browser: Browser, tmp_path: Path) -> None:
    page.goto(f"{server.url}/explain?model=resnet18-imagenette")
    ready(page)
    give(page, photograph())
    expect(page.get_by_text("cat.jpg").first).to_be_visible()
    page.get_by_role("button", name="Occlusion").get_by_role("img").or_(page.get_by_label("Remove Occlusion")).first.click()
    expect(maps(page)).to_have_count(3)
    explain_class(page, "church")
    expect(maps(page)).to_have_count(3)
    page.get_by_role("radio", name="Trust").click()
    page.get_by_role("button", name="Measure the faithfulness").click()
    expect(page.get_by_text("a faithful map falls early")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("a faithful map rises early")).to_be_visible()
    ready(page)
    page.get_by_role("radio", name="Compare").click()
    expect(maps(page)).to_have_count(3)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Report (HTML)").click()
    file = tmp_path / "explanation.html"
    saved.value.save_as(file)
    context = browser.new_context(offline=True)
    offline = context.new_page()
    offline.goto(file.as_uri())
    expect(offline.get_by_role("heading", name="Evidence for church")).to_be_visible()
    expect(offline.get_by_role("heading", name="Can it be trusted?")).to_be_visible()
    expect(offline.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(9)  # three methods, three figures
    widths = offline.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 4
    assert all(width > 0 for width in widths)
    context.close()


def test_truncated_jpeg_is_one_clear_sentence(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    give(page, photograph()[:4000])
    expect(page.get_by_text("cut off or damaged").first).to_be_visible()
    expect(page.get_by_text("Entropy").first).to_be_visible()


def test_scrubbing_the_epochs_changes_the_gradient_profile(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/degradation")
    ready(page)
    expect(page.get_by_text("networks after epoch 30")).to_be_visible()
    line = page.locator("path[data-series=residual]").first
    at_the_end = line.get_attribute("d")
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("heading", name="networks after epoch 1", exact=False)).to_be_visible()
    expect(line).not_to_have_attribute("d", at_the_end or "")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("heading", name=re.compile(r"networks after epoch ([4-9]|[12]\d)"))).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_a_race_runs_and_ends_with_what_happened(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/degradation")
    ready(page)
    page.get_by_role("combobox", name="Depth").fill("20")
    page.keyboard.press("Enter")
    ready(page)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("Step 150.")).to_be_visible(timeout=180_000)


def test_a_long_measurement_shows_its_progress_and_can_be_cancelled(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?net=resnet1202&width=32")
    expect(page.get_by_text("Measuring").first).to_be_visible()
    page.get_by_role("button", name="Cancel").first.click()
    expect(page.get_by_text("cancelled").first).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator("path[data-series=residual]").first).to_be_visible()


def test_a_network_too_large_for_the_memory_is_refused_in_one_sentence(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?net=resnet1202&width=1024")
    expect(page.get_by_text("the limit is").first).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator("path[data-series=residual]").first).to_be_visible()
