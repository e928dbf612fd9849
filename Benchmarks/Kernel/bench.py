# SPDX-License-Identifier: Apache-2.0
"""Measures what Kemon costs in the kernel model: the same generated load with and without hooks and plugins.

Contestants take turns within every round, each round from the next one on; figures are the minimum and the median of
the rounds.
"""

import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
LINE = re.compile(r"^load +([\d,]+) operations in ([\d.]+) (ns|us|ms|s),", re.MULTILINE)
EVENTS = re.compile(r"^events +([\d,]+) published", re.MULTILINE)


def number(text):
    return int(text.replace(",", ""))


def run(host, operations, threads, seed, arguments):
    """One load; returns nanoseconds, operations and events."""
    command = [host, "run", "--operations", str(operations), "--threads", str(threads), "--seed", str(seed), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    found = LINE.search(result.stderr)
    if result.returncode != 0 or not found:
        raise SystemExit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr}")
    return float(found[2]) * UNITS[found[3]], number(found[1]), number(EVENTS.search(result.stderr)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True, help="kemon-host, built for release")
    parser.add_argument("--plugins", required=True, help="folder of the shipped plugins")
    parser.add_argument("--noop", required=True, help="the plugin that has nothing to say")
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--output", help="file for the figures, JSON")
    options = parser.parse_args()
    contestants = {
        "no hooks": ["--no-hooks"],
        "no plugin": [],
        "one no-op plugin": ["--plugins", options.noop],
        "all shipped plugins": ["--plugins", options.plugins, "--output", "none"],
    }
    rows = []
    for threads in options.threads:
        times = {name: [] for name in contestants}
        counts = {}
        for seed in range(1, options.rounds + 1):
            turn = seed % len(contestants)
            for name, arguments in [*contestants.items()][turn:] + [*contestants.items()][:turn]:
                nanoseconds, operations, events = run(options.host, options.operations, threads, seed, arguments)
                times[name].append(nanoseconds / operations)
                counts.setdefault(name, []).append(events / operations)
        bare = statistics.median(times["no hooks"])
        print(f"{threads} thread{'s' if threads > 1 else ''}, wall time for each operation")
        for name, values in times.items():
            median, events = statistics.median(values), statistics.median(counts[name])
            rate = events / median * 1e3
            print(
                f"  {name:20} min {min(values):8.0f} ns   median {median:8.0f} ns   {median / bare:5.2f} x"
                + (f"   {rate:5.2f} M events/s, {(median - bare) / events:5.0f} ns for each" if events else "")
            )
            rows.append({
                "threads": threads, "contestant": name, "ns_min": min(values), "ns_median": median,
                "added_ns": median - bare, "ratio": median / bare, "events_per_operation": events,
                "events_per_second": events / median * 1e9,
            })
    if options.output:
        report = {"machine": platform.processor() or platform.machine(), "operations": options.operations,
                  "rounds": options.rounds, "results": rows}
        pathlib.Path(options.output).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
