"""The governors' report of one school out of the store, step by step: scripts/bench report [--json].

Reads the school that ASTRACK_HOME (or ASTRACK_DATABASE_URL) holds: make one with scripts/simulate first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from astrack import reports
from astrack.app import App
from astrack.reports import html, tables
from astrack.settings import Settings
from projections import cohort, impact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--since", default="1990-01-01")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with App.open(Settings.from_environment()) as app:
        school_id = next(iter(app.store.schools()), None)
        if school_id is None:
            sys.exit("this store holds no school: make one with scripts/simulate first")
        app.views.catch_up(school_id)
        window = {"since": date.fromisoformat(asked.since), "until": app.clock().date()}
        began = time.perf_counter()
        report = reports.governors(app, school_id, **window)
        read = time.perf_counter()
        page, paper = html.html(report), html.pdf(report)
        files = tables.csv_files(report.tables)
        done = time.perf_counter()
        with app.views.reading(school_id) as cur:
            counts = [cur.execute(f"SELECT count(*) FROM {table}").fetchone() for table in (cohort.TABLE, impact.TABLE)]
    answer = {
        "report_s": round(done - began, 3), "figures_s": round(read - began, 3),
        "page_and_pdf_s": round(done - read, 3),
        "sittings": counts[0][0] if counts[0] else 0, "signs_and_plans": counts[1][0] if counts[1] else 0,
        "pdf_bytes": len(paper), "html_bytes": len(page), "tables": len(files),
    }  # fmt: skip
    lines = "\n".join(f"{name}: {value}" for name, value in answer.items())
    print(json.dumps({"figures": answer}) if asked.json else lines)


if __name__ == "__main__":
    main()
