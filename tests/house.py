"""What the floor plan promises, counted: `python -m tests.house` prints it, and the suite holds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LIMITS: Final = {  # at most so many of each
    "`# fmt: skip`": 10,
    "`Any` in an annotation": 26,
    "functions over 50 lines": 0,
    "calls with more than 6 positional arguments": 0,
    "modules over 320 lines": 0,
    "public functions without a docstring": 0,
}


def sources() -> dict[str, str]:
    """Every module's text by its path."""
    files = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "resviz").rglob("*.py"))]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def measured() -> dict[str, list[str]]:
    """Where each of `LIMITS` occurs."""
    found: dict[str, list[str]] = {name: [] for name in LIMITS}
    for path, text in sources().items():
        if len(text.splitlines()) > 320:
            found["modules over 320 lines"].append(f"{path} ({len(text.splitlines())})")
        for number, line in enumerate(text.splitlines(), 1):
            if "# fmt: skip" in line:
                found["`# fmt: skip`"].append(f"{path}:{number}")
        for name, place in _of(ast.parse(text)):
            found[name].append(f"{path}:{place}")
    return found


def _of(module: ast.Module) -> Iterator[tuple[str, str]]:
    public = {id(node) for owner in _owners(module) for node in owner.body}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id == "Any":
            yield "`Any` in an annotation", str(node.lineno)
        elif (
            isinstance(node, ast.Call)
            and not _of_torch(node)
            and sum(not isinstance(each, ast.Starred) for each in node.args) > 6
        ):
            yield "calls with more than 6 positional arguments", str(node.lineno)
        elif isinstance(node, ast.FunctionDef):
            if (node.end_lineno or 0) - node.lineno >= 50:
                yield "functions over 50 lines", node.name
            overload = any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
            if id(node) in public and not node.name.startswith("_") and not overload and not ast.get_docstring(node):
                yield "public functions without a docstring", node.name


def _of_torch(call: ast.Call) -> bool:
    """PyTorch's operators take their arguments by position alone."""
    return ast.unparse(call.func).startswith(("torch.ops.", "_ops.", "F."))


def _owners(module: ast.Module) -> list[ast.Module | ast.ClassDef]:
    """The module and its public classes; a protocol's and an override's words stand where they are promised."""
    classes = [
        node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not node.bases
    ]
    return [module, *classes]


def main() -> None:
    """Print the counts, and where they are over their limit."""
    for name, places in measured().items():
        print(f"{name:46} {len(places):4}  (at most {LIMITS[name]})")
        if len(places) > LIMITS[name]:
            print("   ", ", ".join(places))


if __name__ == "__main__":
    main()
