"""What the package needs, read from the files that `make` installs: each requirement stands in one place."""

from __future__ import annotations

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

APP = "# the pages alone"


class Requirements(MetadataHookInterface):
    """`requirements.txt`, since `resviz serve` is a command like the others; what follows its line `APP` is the extra `app` as well."""

    def update(self, metadata: dict[str, object]) -> None:
        core, app = self.read("requirements.txt").split(APP)
        metadata["dependencies"] = [*core.split(), *app.split()]
        extras = {name: self.read(f"requirements-{name}.txt").split() for name in ("onnx", "scale")}
        metadata["optional-dependencies"] = {"app": app.split(), **extras}

    def read(self, name: str) -> str:
        """The text of a file of the project."""
        return Path(self.root, name).read_text(encoding="utf-8")
