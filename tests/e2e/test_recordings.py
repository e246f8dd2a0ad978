"""A training of the visitor's own, opened and gone through in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from playwright.sync_api import Page, expect
from torch import nn

import resviz
from tests.e2e.conftest import Server, ready


def test_a_loop_of_one_s_own_is_opened_and_scrubbed_to_where_it_broke(server: Server, page: Page, tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with resviz.watch(net, every=5) as watch:
        for step in range(1, 31):
            if step == 23:
                optimizer.param_groups[0]["lr"] = 1e30
            loss = net(torch.rand(8, 5, 16)).square().mean()
            loss.backward()
            optimizer.step()
            watch.step(loss)
            optimizer.zero_grad()
    page.goto(f"{server.url}/recordings")
    ready(page)
    expect(page.get_by_text("Plain-56: the gradient of every layer, epoch by epoch")).to_be_visible()
    page.locator("input[type=file]").set_input_files(watch.save(tmp_path / "run.parquet"))
    expect(page.get_by_text("TransformerEncoder: the gradient of every layer, step by step")).to_be_visible()
    expect(page.get_by_text(re.compile("The loss is no finite number for the first time in step 2[34]"))).to_be_visible()
    slider = page.locator(".st-key-stage").get_by_role("slider")
    slider.focus()
    for _ in range(2):
        slider.press("ArrowLeft")
        page.wait_for_timeout(400)
    expect(page.get_by_text("Step 20 of 30. The loss")).to_be_visible()
    expect(page.get_by_text("Dead units: what is 0 for every example of the batch")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert "layers.0.self_attn" in download.value.path().read_text()
    page.get_by_role("button", name="Photographs").click()
    expect(page.get_by_text("ResNet-18: the gradient of every layer, epoch by epoch")).to_be_visible()
    expect(page).to_have_url(re.compile("run=resnet18-imagenette"))
    page.go_back()
    expect(page.get_by_text("TransformerEncoder: the gradient of every layer, step by step")).to_be_visible()
