"""`python -m tests.photographs`: what the networks of ten and of two hundred classes say of twelve everyday photographs, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import skimage
from PIL import Image

from resviz.data.uploads import decode, sample_photographs
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import predict
from resviz.zoo.scope import scope_of

NETWORKS: Final = ("resnet18-imagenette", "resnet10-tinyimagenet")
MORE: Final = ("camera", "coins", "grass", "horse", "moon")  # of scikit-image's, beside the samples


def twelve() -> dict[str, Image.Image]:
    """The samples and five more, by what they show."""
    folder = Path(skimage.__file__).parent / "data"
    return sample_photographs() | {name.capitalize(): decode((folder / f"{name}.png").read_bytes()).image for name in MORE}


def main() -> None:
    networks = {name: load_bundled(name) for name in NETWORKS}
    print("| photograph | " + " | ".join(networks) + " |\n|" + "---|" * (len(networks) + 1))
    for title, image in twelve().items():
        cells = []
        for name, classifier in networks.items():
            found, scope = predict(classifier, image), scope_of(name)
            doubted = scope is not None and found.familiarity(scope.score) < scope.threshold
            said = ", ".join(f"{category} {100 * share:.0f} %" for category, share in found.top(3))
            cells.append(said + (" (perhaps none of its names)" if doubted else ""))
        print(f"| {title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
