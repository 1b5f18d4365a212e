"""`python -m tests.fuzz --seeds N`: many stories, the failing ones shrunk; `SEED [STEP ...]`: one of them again."""

from __future__ import annotations

import argparse
import time

from .story import shrink, tell, why_not

STEPS = 4000


def main() -> int:
    """How many failed, at most 1."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, help="one story, to its exception")
    parser.add_argument("step", nargs="*", type=int, help="of that story, only these steps")
    parser.add_argument("--seeds", type=int, default=50, help="how many stories (default: %(default)s)")
    parser.add_argument("--first", type=int, default=None, help="seed of the first (default: another each time)")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of each (default: %(default)s)")
    asked = parser.parse_args()
    all_steps = range(1, asked.steps + 1)
    if asked.seed is not None:
        tell(asked.seed, asked.step or all_steps)
        return 0
    first = int(time.time()) if asked.first is None else asked.first
    failed = 0
    for seed in range(first, first + asked.seeds):
        if (why := why_not(seed, all_steps)) is not None:
            failed = 1
            few = " ".join(map(str, shrink(seed, all_steps)))
            print(f"seed {seed}: {type(why).__name__}: {why}\n  again: python -m tests.fuzz {seed} {few}", flush=True)
    print(
        f"{asked.seeds} stories of {asked.steps} steps from seed {first} on: {'some failed' if failed else 'all well'}"
    )
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
