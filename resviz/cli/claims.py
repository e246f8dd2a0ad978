"""`claims`: what the papers say about skip connections, each claim beside what is measured here."""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version

from resviz.cli.values import BAR, Commands, at_least, json_option, out_file, path, show

__all__ = ["add"]


def _claims(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.claims import CLAIMS, Evidence, findings, table

    out = out_file(args.out, (".md",))
    keys = tuple(args.only.split(",")) if args.only else tuple(CLAIMS)
    with tqdm(total=100, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.update(round(100 * fraction) - bar.n)
            bar.set_description_str(note[:50])
            return False

        found = findings(Evidence(args.cifar or "", args.draws), keys, tick)
    text = table(found)
    if out:
        out.write_text(_page(text, args.argv), encoding="utf-8")
    result = {
        key: {
            "says": CLAIMS[key].says,
            "source": CLAIMS[key].source,
            "published": CLAIMS[key].published,
            "measured": each.measured,
            "of": each.of,
            "agrees_where": CLAIMS[key].agrees_where,
            "answer": str(each.answer),
            "why": each.why,
        }
        for key, each in found.items()
    }
    return show(args, result, text)


def _page(text: str, argv: list[str]) -> str:
    """The table as a page of its own."""
    return (
        "# What the papers claim, and what is measured here\n\n"
        "A row is a claim about skip connections, the number that its paper prints, what our own networks show, and whether that bears the claim "
        "out by the test in the last column but one. Our networks are small and were trained briefly: where we differ, the claim is not refuted, "
        "it does not carry as far as our setting. *About* marks a number that was not read in the paper's own text.\n\n"
        f"{text}\n\n"
        f"Measured on {date.today().isoformat()} with PyTorch {version('torch')} on {platform.machine()} by "
        f"`python -m resviz {' '.join(argv[:1])}`; the papers' numbers and the rules of agreement are written down in the program, nothing else is.\n"
    )


def add(commands: Commands) -> None:
    """The command's own parser."""
    claims = commands.add_parser("claims", help="what the papers say about skip connections beside what is measured here")
    claims.add_argument("--only", type=path, help="some of the claims by their keys, with commas between")
    claims.add_argument("--cifar", type=path, help="a folder with test/CLASS/*.jpg of CIFAR-10, for the claims about it")
    claims.add_argument("--draws", type=at_least(1, 1000), default=20, help="draws of several parts at random")
    claims.add_argument("--out", type=path, help="write the table to this .md file")
    claims.set_defaults(run=_claims)
    json_option(claims)
