"""The risk model over 100,000 pupils x 30 rounds, and for one pupil inside a request."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from domain import risk
from domain.journey.state import Sat
from domain.risk.kalman import Sittings

PUPILS, ROUNDS, GAP_DAYS, ABSENT = 100_000, 30, 120, 0.06


def made(pupils: int) -> Sittings:
    """Pupils whose schedules, errors and missing rounds all differ."""
    chance = np.random.default_rng(1)
    shape = (pupils, ROUNDS, 8)
    values = chance.standard_normal(shape, dtype=np.float32)
    values *= np.float32(0.85)
    values += np.float32(3.5)
    values[chance.random((pupils, ROUNDS)) < ABSENT] = np.nan
    errors = np.float32(0.36) + np.float32(0.2) * chance.random(shape, dtype=np.float32)
    days = (np.arange(ROUNDS, dtype=np.int32) * GAP_DAYS)[None] + chance.integers(0, 20, (pupils, 1), dtype=np.int32)
    return Sittings(days, (100 + days // 30).astype(np.int32), values, errors)


def one_pupil(model: risk.Model) -> float:
    """Seconds of ``findings`` for one pupil with 40 sittings: the best of 40."""
    chance, began = np.random.default_rng(2), date(2016, 9, 12)
    sats = [
        Sat(UUID(int=n), UUID(int=n), None, began + timedelta(days=GAP_DAYS * n), tuple(chance.normal(3.5, 0.8, 8)),
            (0.42,) * 8, True, 100 + 4 * n)
        for n in range(40)
    ]  # fmt: skip
    times = []
    for _ in range(40):
        begun = time.perf_counter()
        risk.findings(model, sats, frozenset(), sats[-1].on)
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pupils", type=int, default=PUPILS)
    options = parser.parse_args()
    model, sittings = risk.load_model(), made(options.pupils)
    risk.cohort(model, sittings.part(0, 1))
    workers, times = os.cpu_count() or 1, []
    for _ in range(3):
        begun, used = time.perf_counter(), time.process_time()
        risk.cohort(model, sittings, workers)
        times.append((time.perf_counter() - begun, time.process_time() - used))
    figures = {
        "risk_model_100k_s": round(min(times)[0] * PUPILS / options.pupils, 3),
        "risk_model_100k_cpu_s": round(min(times)[1] * PUPILS / options.pupils, 3),
        "risk_model_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "risk_findings_one_pupil_ms": round(one_pupil(model) * 1000, 2),
    }
    if options.json:
        print(json.dumps({"figures": figures}))
        return
    seconds, used = min(times)
    print(f"{options.pupils} pupils x {ROUNDS} rounds, levels, P(polar) and P(priority) of every round, "
          f"{workers} threads, best of {len(times)}: {seconds:.2f} s ({used:.2f} s of processor)")  # fmt: skip
    print(f"peak memory {figures['risk_model_peak_mib']} MiB; one pupil with 40 sittings, findings: "
          f"{figures['risk_findings_one_pupil_ms']} ms")  # fmt: skip


if __name__ == "__main__":
    main()
