"""Print the records as a table in Markdown: mean over seeds, and the range in brackets.

.venv/bin/python benchmarks/rivals/table.py [FOLDER]
"""

from __future__ import annotations

import collections
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

_RESULTS = Path(__file__).parents[1] / "results" / "rivals"
_COLUMNS = {
    "c2st": ("C2ST", ".3f", 1),
    "c2st_samples": ("a side", ",.0f", 1),
    "effective": ("effective", ",.0f", 1),
    "simulations": ("simulations, M", ".2f", 1e-6),
    "cpu_s": ("CPU, s", ".0f", 1),
    "entropy_error": ("entropy error", "+.3f", 1),
    "z_mean_error": ("z mean error", ".3f", 1),
}


def _cell(records: list[dict[str, Any]], key: str) -> str:
    """Mean and range of the runs that have the figure."""
    _, form, factor = _COLUMNS[key]
    values = [factor * record[key] for record in records if record.get(key) is not None]
    if not values:
        return "none"
    mean = f"{np.mean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ({min(values):{form}} to {max(values):{form}})"


def main() -> None:
    """Read all records and print."""
    groups = collections.defaultdict(list)
    for path in sorted((Path(sys.argv[1]) if sys.argv[1:] else _RESULTS).glob("*.json")):
        record = json.loads(path.read_text())
        groups[record["case"], record["method"]].append(record)
    titles = [title for title, _, _ in _COLUMNS.values()]
    print("| case | method | seeds | " + " | ".join(titles) + " |")
    print("|---" * (3 + len(titles)) + "|")
    for (case, method), records in groups.items():
        cells = [_cell(records, key) for key in _COLUMNS]
        print(f"| {case} | {method} | {len(records)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
