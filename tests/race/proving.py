"""The command line that the programs of this folder share: one run, or one with each bug planted, which it must find."""

import argparse
import random

TRIES = 3  # chance decides when the sessions meet: a planted bug that they missed may be met by the next seed


def main(once, plants, title, seconds):
    """`once(seed, seconds, plant)` returns what it complains of; `plants` are their names. The exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--plant", choices=plants)
    parser.add_argument("--prove", action="store_true")
    options = parser.parse_args()
    if not options.prove:
        found = once(options.seed, options.seconds, options.plant)
        print(f"{'not ok' if found else 'ok'}  {title}, seed {options.seed}")
        return 1 if found else 0
    missed = 0
    for plant in plants:
        caught = any(once(options.seed + n, options.seconds, plant) for n in range(TRIES))
        missed += not caught
        print(f"{'ok' if caught else 'not ok'}  the planted bug is found: {plant}, seed {options.seed}", flush=True)
    return 1 if missed else 0
