"""`make fuzz`: thousands of damaged, lying and hostile inputs to every door, as a table; ends within two minutes by itself.

Each input is made anew from the seed and its number, so `--door pictures --only 844` asks one of them again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.fuzz.run import COUNTS, MOST_HELD, MOST_SECONDS, Answer, fuzz

__all__ = ["main"]


def _row(name: str, wanted: int, answers: Sequence[Answer]) -> str:
    def broken(claim: str) -> int:
        return sum(claim in answer.fault for answer in answers)

    slowest, largest = max((a.seconds for a in answers), default=0.0), max((a.held for a in answers), default=0) / 2**20
    read = sum(answer.how == "read" for answer in answers)
    return (
        f"{name:12} {len(answers):6,} of {wanted:5,} {read:6,} {broken('foreign'):8} {broken('slow'):10} {slowest:7.2f} s "
        f"{broken('large'):10} {largest:6.0f} MB {broken('canary'):7}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 1 where a claim fails, or where there was no time for all inputs."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="other inputs")
    parser.add_argument("--seconds", type=float, default=120.0, help="after which it ends, whatever is left")
    parser.add_argument("--door", choices=list(COUNTS), action="append", help="this one only")
    parser.add_argument("--only", type=int, help="only the input of this number")
    args = parser.parse_args(argv)
    counts = {door: count for door, count in COUNTS.items() if args.door is None or door in args.door}
    began = time.monotonic()
    answers = fuzz(args.seed, counts, args.seconds, args.only)
    print(
        f"{'door':12} {'asked':>15} {'read':>6} {'foreign':>8} {f'over {MOST_SECONDS:.0f} s':>10} {'slowest':>9} "
        f"{f'over {MOST_HELD >> 20} MB':>10} {'largest':>9} {'canary':>7}"
    )
    for door, count in counts.items():
        print(_row(door, count if args.only is None else 1, [answer for answer in answers if answer.door == door]))
    failed = [answer for answer in answers if answer.fault]
    for answer in sorted(failed, key=lambda each: (each.door, each.index)):
        print(
            f"\n{answer.door} {answer.index} of seed {args.seed}: {answer.fault} ({answer.seconds:.1f} s, {answer.held >> 20} MB)"
        )
        print(f"  {answer.about}\n  {answer.how}: {answer.words} {answer.hurt}")
    missing = args.only is None and len(answers) < sum(counts.values())
    print(f"\n{len(failed)} failed in {time.monotonic() - began:.0f} s{', and there was no time for all' if missing else ''}")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
