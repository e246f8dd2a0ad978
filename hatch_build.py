"""What the package needs, read from the files that `make` installs: each requirement stands in one place."""

from __future__ import annotations

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

APP = "# the pages alone"


class Requirements(MetadataHookInterface):
    """`requirements.txt`, since `resviz serve` is a command like the others; what follows its line `APP` is the extra `app` as well.

    Every `requirements-NAME.txt` is an extra of that name, but for those of who works on the project, which begin with another file.
    """

    def update(self, metadata: dict[str, object]) -> None:
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(self.root).glob("requirements*.txt"))}
        core, app = texts.pop("requirements").split(APP)
        more = {name.removeprefix("requirements-"): text.split() for name, text in texts.items() if not text.startswith("-r")}
        metadata["dependencies"] = [*core.split(), *app.split()]
        metadata["optional-dependencies"] = {"app": app.split(), **more}
