"""Impact for a trust of 50,000 pupils and 20 rounds: from arrays to every figure. scripts/bench impact [--json]."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from domain import impact
from domain.impact.trusts import trust


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = trust(np.random.default_rng(1), "record", 0.2, asked.pupils, asked.rounds)
    took, cpu = [], []
    for _ in range(asked.repeat):
        began, busy = time.perf_counter(), time.process_time()
        found = impact.assess(made.panel, made.plans, 0, 10**7)
        took.append(time.perf_counter() - began)
        cpu.append(time.process_time() - busy)
    answer = {
        "impact_50k_s": round(statistics.median(took), 3),
        "impact_50k_cpu_s": round(statistics.median(cpu), 3),
        "cases": found.supported.flagged + found.unsupported.flagged,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if asked.json:
        print(json.dumps(answer))
        return
    print(f"{asked.pupils} pupils x {asked.rounds} rounds, {answer['cases']} cases:")
    print(f"{answer['impact_50k_s']} s (median of {asked.repeat}), {answer['impact_50k_cpu_s']} s of processor")


if __name__ == "__main__":
    main()
