"""Chaos for as long as you like: `python -m tests.live.chaos --minutes 30 --seed 1`. What fails leaves its logs."""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.live.chaos.house import SETTINGS
from tests.live.chaos.scenario import Plan, expected_counts, run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.live.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1 << 30), help="the first; each run takes the next"
    )
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often every kind of fault happens in a run"
    )
    parser.add_argument("--setting", choices=SETTINGS, action="append", help="each in turn where absent")
    given = parser.parse_args()
    settings = [SETTINGS[name] for name in given.setting or SETTINGS]
    until, number = time.monotonic() + 60 * given.minutes, 0
    failures = 0
    while time.monotonic() < until:
        setting, seed = settings[number % len(settings)], given.seed + number
        directory = Path(tempfile.mkdtemp(prefix=f"chaos-{setting}-{seed}-"))
        begun = time.monotonic()
        try:
            report = run(setting, seed, directory, Plan(given.rounds))
        except Exception as error:
            print(f"{setting} seed {seed}: {type(error).__name__}: {error}; logs in {directory}", flush=True)
            failures += 1
        else:
            missing = [name for name in expected_counts(setting) if not report.counts[name]]
            print(
                f"{setting} seed {seed}: {time.monotonic() - begun:.0f} s, {dict(report.counts)}", flush=True
            )
            for line in [*report.found, *(f"did not happen: {name}" for name in missing)]:
                print(f"  {line}", flush=True)
            if report.found:
                failures += 1
                print(f"  logs in {directory}", flush=True)
            else:
                shutil.rmtree(directory)
        number += 1
    print(f"{number} runs, {failures} failed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
