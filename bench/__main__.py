"""``make bench``: every benchmark, one after the other; a table and JSON under bench/results."""

from __future__ import annotations

import argparse
import importlib

from bench import environment
from bench.harness import report

BENCHMARKS = (
    "write_through", "reservations", "ledger", "replay", "order_to_cash", "invoicing", "listing", "scrub", "nav",
)  # fmt: skip


def main() -> None:
    """Run the benchmarks named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these")
    names = parser.parse_args().names or BENCHMARKS
    assert environment.PROJECT_DIR
    for name in names:
        report(importlib.import_module(f"bench.{name}").measure(), name)


if __name__ == "__main__":
    main()
