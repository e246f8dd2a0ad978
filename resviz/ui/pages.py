"""The table of pages: their names, files and questions."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath
from typing import Final

__all__ = ["PAGES", "Page", "nearest"]


@dataclass(frozen=True)
class Page:
    """A page: its name, its file, the question it asks, the sentences under it, and what Home says of it.

    `network` is False where its address names other networks than the session's one. `first` is the figure under assets/first
    that stands there until PyTorch is loaded.
    """

    title: str
    file: str
    question: str
    lead: str
    invitation: str = ""
    icon: str = ""
    network: bool = True
    first: str = ""

    @property
    def path(self) -> str:
        """Its place in the address; the page that is opened first has none."""
        return "" if self.file == "app.py" else PurePath(self.file).stem


PAGES: Final = (
    Page(
        "Home",
        "app.py",
        "The same 56 layers, twice. Only one of them can learn.",
        "The difference is one addition: `y = F(x) + x`",
    ),
    Page(
        "Build",
        "pages/build.py",
        "What is a residual network made of?",
        "Blocks on a trunk. Each adds its result to what came in: **click or tap an arc to cut a skip.**",
        "What is a residual network made of? Build one and cut its skips.",
        ":material/account_tree:",
    ),
    Page(
        "Gradients",
        "pages/gradients.py",
        "What does a skip connection do to the gradient?",
        "One backward pass through two networks with the same weights and the same batch, one with skips and one without.",
        "What does a skip do to the gradient of every layer?",
        ":material/show_chart:",
        first="gradients",
    ),
    Page(
        "Degradation",
        "pages/degradation.py",
        "Why did deeper networks train worse?",
        "Networks trained by the same recipe for 30 epochs, from one seed, recorded after every epoch: what depth did to their **training** "
        "error, without skips and with them.",
        "Why did deeper networks train worse? Watch four of them learn.",
        ":material/trending_down:",
    ),
    Page(
        "Lab",
        "pages/lab.py",
        "What happens to every layer while it learns?",
        "Networks that differ in one thing, trained side by side on the same batches. **Click or tap an arc to cut a skip in mid-training.**",
        "What happens to every layer while a network learns? Cut a skip in mid-training.",
        ":material/science:",
        network=False,
        first="lab",
    ),
    Page(
        "Explain",
        "pages/explain.py",
        "Which pixels decided?",
        "A photograph, a trained network's answer, and the evidence laid over the picture.",
        "Which pixels decided? Ask a trained network about a photograph.",
        ":material/image_search:",
        first="explain",
    ),
    Page(
        "Transfer",
        "pages/transfer.py",
        "Can it learn your classes from a dozen pictures?",
        "A trained network is taught your classes: its head alone, its last stage too, or all of it from scratch. **Bring "
        "pictures of your own, a folder a class.**",
        "Can a trained network learn your classes from a dozen pictures? Teach it, then ask it.",
        ":material/school:",
        network=False,
    ),
    Page(
        "Inside",
        "pages/inside.py",
        "What does each block do to your picture?",
        "**y = F(x) + x**, in numbers: what the skip brings, what the block's layers add, and their sum. **Click or tap a block.**",
        "What does each block do to your picture? See F(x), x and their sum, and take a number apart.",
        ":material/join_inner:",
        first="inside",
    ),
    Page(
        "Anatomy",
        "pages/anatomy.py",
        "What is left when parts are taken away?",
        "A trained network without some of its blocks. **Click or tap one.**",
        "What is left of a trained network without some of its blocks? Drop branches, cut skips, and watch its error.",
        ":material/content_cut:",
        network=False,
        first="anatomy",
    ),
    Page(
        "Landscape",
        "pages/landscape.py",
        "Is the loss smoother with skips?",
        "The loss on a plane through each network's weights: two random directions, as long as the weights themselves. The network is "
        "the cross in the middle.",
        "Is the loss smoother with skips? Walk away from a network's weights and see.",
        ":material/landscape:",
        network=False,
        first="landscape",
    ),
    Page(
        "Shortcuts",
        "pages/shortcuts.py",
        "Why the identity, and not something else?",
        "Gates, factors, convolutions, dropout: what else a skip could do to x, trained on the same batches from the same weights.",
        "Why the identity? Race it against gates, factors and dropout.",
        ":material/alt_route:",
        network=False,
    ),
    Page(
        "Sweeps",
        "pages/sweeps.py",
        "Does it hold for every design?",
        "Hundreds of small trainings: every depth, norm and initialisation, with skips and without, most from several seeds.",
        "Do skips help at every depth, norm and initialisation? Look at hundreds of trainings.",
        ":material/grid_on:",
        network=False,
    ),
    Page(
        "Recordings",
        "pages/recordings.py",
        "What happened while it learned?",
        "Every layer's gradient, update and activations of a training, step by step: one of ours, or your own PyTorch loop with **three lines in it**.",
        "What happened while your own network learned? Record it with three lines.",
        ":material/monitor_heart:",
        network=False,
    ),
)


def nearest(path: str) -> Page | None:
    """The page whose address or name is spelt most like a path, where one is alike at all."""
    names = {name.lower(): each for each in PAGES for name in (each.path, each.title) if name}
    alike = get_close_matches(path.rpartition("/")[2].lower(), names, n=1, cutoff=0.5)
    return names[alike[0]] if alike else None
