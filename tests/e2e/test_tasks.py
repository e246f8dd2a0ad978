"""What visitors come for, click by click, as docs/tasks.md writes it down; the other tasks there are walked by the tests it names."""

from __future__ import annotations

import io
import re
import zipfile
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from resviz.data.uploads import sample_photographs
from resviz.spec.presets import PRESETS
from resviz.ui.components.link import code_of
from resviz.zoo.bundled import CHECKPOINTS
from tests.e2e.conftest import Server, ready
from tests.fuzz.zips import packed


def test_exploding_and_vanishing_side_by_side(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients")
    expect(page.get_by_text("explodes").filter(visible=True).first).to_be_visible()
    page.get_by_role("button", name="Pin to compare").click()
    expect(page.get_by_text("Pale lines: ResNet-56")).to_be_visible()
    ready(page)
    page.get_by_role("button", name="Take the batch norm away").click()
    expect(page.get_by_text("vanishes").filter(visible=True).first).to_be_visible()
    expect(page.locator(".st-key-profile path.line").filter(visible=True)).to_have_count(4)


def test_three_cuts_are_shared_by_a_code(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build")
    ready(page)
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name="ResNet-50", exact=True).click()
    for block in list(PRESETS["resnet50"].block_names())[1:4]:
        page.locator(f"[data-action='cut:{block}']").first.dispatch_event("click")
        expect(page).to_have_url(re.compile(re.escape(block.removeprefix("layer"))))
        ready(page)
    page.get_by_test_id("stPopoverButton").filter(has_text="Link", visible=True).last.click()
    url = page.get_by_role("textbox", name="Link").input_value()
    assert len(parse_qs(urlsplit(url).query)["cut"][0].split(",")) == 3
    expect(page.locator("img.code")).to_have_attribute("src", code_of(url)[0])


def test_a_zip_of_twelve_is_answered_on_the_page(server: Server, page: Page) -> None:
    files = []
    for n, (name, image) in enumerate(list(sample_photographs().items()) * 12):
        buffer = io.BytesIO()
        image.resize((160, 160)).save(buffer, "JPEG")
        files.append((f"{n:02d} {name}.jpg", buffer.getvalue()))
    page.goto(f"{server.url}/explain?model=resnet20-cifar10&methods=saliency&view=Many+pictures")
    ready(page)
    page.locator("input[type=file]").last.set_input_files(
        {"name": "twelve.zip", "mimeType": "application/zip", "buffer": packed(files[:12], zipfile.ZIP_STORED)}
    )
    expect(page.get_by_text("12 answers.")).to_be_visible()


def test_a_checkpoint_of_ones_own_answers(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name="your own checkpoint").click()
    ready(page)
    files = [CHECKPOINTS / f"plain20-cifar10.{ending}" for ending in ("safetensors", "json")]
    page.locator("input[type=file]").first.set_input_files(files)
    expect(page.get_by_text(re.compile(r"^plain20-cifar10\.safetensors: Plain-20.*, 10 classes\.")).first).to_be_visible()
    expect(page.locator("[data-drawn^='map-'] canvas").first).to_be_visible()
