# SPDX-License-Identifier: Apache-2.0
"""Hooks every exported function of libraries and checks by emulation that the moved code does what it did in place.

usage: check.py --probe PROGRAM [--states N] [--limit N] [--output FILE] [--control] LIBRARY...

Every function is hooked in a child process of its own on a private copy of its library. What the hook made of it is
then run beside the original on an emulated processor, from the same random registers, flags and memory, until it
leaves the moved instructions; registers, flags, memory and the place where it goes on must be the same. Calls on the
way are answered with random results. A static search finds jumps of the library that lead into patched bytes.
Exits with 1 if anything is wrong, if a child crashed, or if less than 99.9 % are hooked.
"""

import argparse
import collections
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile

TIERS = ["refused", "window", "copy", "padding", "trap", "cave"]


def probe(program, library, memory):
    """Runs the probe; returns the library's line and the functions' lines."""
    result = subprocess.run([program, library, memory], stdout=subprocess.PIPE, text=True, timeout=1500)
    if result.returncode != 0:
        sys.exit(f"check: the probe of {library} ended with {result.returncode}")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return lines[0], lines[1:]


def prepare(function):
    """Works out which bytes the hook changed: at the entry, and in the padding that a short jump leads to."""
    before, after = bytes.fromhex(function["before"]), bytes.fromhex(function["after"])
    base, entry = function["before_at"], function["entry"]
    first = after[entry - base]
    size = {0xE9: 5, 0xEB: 2, 0xCC: 1}.get(first, 0)
    function["patch"] = (entry, entry + size)
    function["cave"] = (0, 0)
    if first == 0xEB:
        cave = entry + 2 + int.from_bytes(after[entry - base + 1 : entry - base + 2], "little", signed=True)
        function["cave"] = (cave, cave + 5)
    ours = [range(*function["patch"]), range(*function["cave"])]
    for index in range(len(before)):
        if before[index] != after[index] and not any(base + index in part for part in ours):
            return f"{base + index:#x} has changed, which is no part of the hook"
    return None


class Worker:
    """Compares functions of one library in a process of its own."""

    comparer = None

    @classmethod
    def start(cls, segments, path, states):
        from compare import Comparer

        with open(path, "rb") as file:
            content = [(start, file.read(size)) for start, size in segments]
        cls.comparer = Comparer(content, states)

    @classmethod
    def check(cls, function):
        verdict, detail = cls.comparer.check(function)
        if verdict != "wrong":
            arrival = cls.comparer.check_arrival(function)
            if arrival:
                verdict, detail = "wrong", arrival
        return function, verdict, detail


def jump_targets(path):
    """Where the direct jumps and calls of a library lead, by binutils: {target: [place]}."""
    pattern = re.compile(r"^\s*([0-9a-f]+):\t(?:\S+ )*?(j\w+|loop\w*|call|xbegin)\s+(?:,p[nt]\s+)?([0-9a-f]+)\b")
    targets = collections.defaultdict(list)
    command = ["objdump", "-d", "--no-show-raw-insn", "-M", "intel", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            match = pattern.match(line)
            if match:
                targets[int(match[3], 16)].append(int(match[1], 16))
    return targets


def code_ranges(path, functions, base):
    """Where code lies, by unwind information and symbols: assembly puts data between functions."""
    pattern = re.compile(r" FDE .* pc=([0-9a-f]+)\.\.([0-9a-f]+)")
    ranges = [(f["address"] - base, f["address"] - base + f["size"]) for f in functions]
    command = ["readelf", "--debug-dump=frames", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            match = pattern.search(line)
            if match:
                ranges.append((int(match[1], 16), int(match[2], 16)))
    return sorted(ranges)


def hazards(functions, library, entries):
    """Jumps that stay in the library, and other functions' entries, that lead into patched bytes."""
    targets = jump_targets(library["library"])
    base = library["base"]
    ranges = code_ranges(library["library"], functions, base)
    found = []
    for function in functions:
        # The hook's first byte may be jumped to, that is a call; nobody may come to its padding.
        (start, end), cave = function["patch"], function["cave"]
        for address in [*range(start + 1, end), *range(*cave)]:
            if address in entries and not function["address"] == address:
                found.append((function, f"another function begins at {address - base:#x}, inside the patch"))
            for place in targets.get(address - base, []):
                place += base
                # Instructions that the hook has moved are not run where they were.
                moved_end = function["entry"] + function["window"]
                if function["tier"] == 2:
                    moved_end = function["address"] + max(function["size"], function["size_found"])
                if function["address"] <= place < moved_end:
                    continue
                if not any(start <= place - base < end for start, end in ranges):
                    continue
                found.append((function, f"{place - base:#x} leads to {address - base:#x}, into the patch"))
        for start, end in ranges:
            if start < cave[1] - base and cave[0] - base < end:
                found.append((function, f"the padding at {cave[0] - base:#x} belongs to a function"))
    return found


def check(library, options, pool_size):
    memory = tempfile.NamedTemporaryFile(prefix="hook-check-", delete=False)
    memory.close()
    try:
        header, functions = probe(options.probe, library, memory.name)
        if options.limit:
            functions = functions[:: max(1, len(functions) // options.limit)]
        counts = collections.Counter()
        problems, reasons = [], collections.Counter()
        hooked = []
        for function in functions:
            if "crash" in function:
                counts["crash"] += 1
                problems.append((function, f"the child died: status {function['crash']}"))
            elif "refused" in function:
                counts["refused"] += 1
                reasons[re.sub(r"0x[0-9a-f]+", "…", function["refused"])] += 1
            else:
                counts[TIERS[function["tier"]]] += 1
                if "left" in function:
                    problems.append((function, function["left"]))
                problem = prepare(function)
                if problem:
                    problems.append((function, problem))
                hooked.append(function)
        incomparable = collections.Counter()
        arguments = (header["segments"], memory.name, options.states)
        with multiprocessing.Pool(pool_size, Worker.start, arguments) as pool:
            for function, verdict, detail in pool.imap_unordered(Worker.check, hooked, chunksize=32):
                counts[verdict] += 1
                if verdict == "wrong":
                    problems.append((function, detail))
                elif verdict == "incomparable":
                    incomparable[re.sub(r" at .*", "", detail)] += 1
        for function, text in hazards(hooked, header, {function["address"] for function in functions}):
            counts["hazard"] += 1
            problems.append((function, text))
    finally:
        os.unlink(memory.name)
    counts["functions"] = len(functions)
    return {
        "library": os.path.basename(header["library"]), "counts": dict(counts),
        "reasons": dict(reasons), "incomparable": dict(incomparable),
        "problems": [{"name": f["name"], "address": f["address"] - header["base"], "tier": f.get("tier"), "text": t}
                     for f, t in problems],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", required=True)
    parser.add_argument("--states", type=int, default=8)
    parser.add_argument("--limit", type=int, default=0, help="about so many functions of each library")
    parser.add_argument("--output")
    parser.add_argument("--control", action="store_true", help="the probe is known to be wrong: succeed if that is found")
    parser.add_argument("libraries", nargs="+")
    options = parser.parse_args()
    columns = ["functions", "window", "copy", "padding", "cave", "refused", "same", "same-bytes", "incomparable", "hazard",
               "wrong", "crash"]
    print("library".ljust(26) + "".join(column.rjust(13) for column in columns), flush=True)
    results, total = [], collections.Counter()
    for library in options.libraries:
        result = check(library, options, os.cpu_count() or 1)
        results.append(result)
        total.update(result["counts"])
        print(result["library"].ljust(26) + "".join(str(result["counts"].get(c, 0)).rjust(13) for c in columns), flush=True)
        for problem in result["problems"][: 3 if options.control else 40]:
            print(f"  ! {problem['name']} (+{problem['address']:#x}, tier {problem['tier']}): {problem['text']}")
        for title, table in (("refused", result["reasons"]), ("not compared", result["incomparable"])):
            for reason, count in sorted(table.items(), key=lambda item: -item[1])[:12]:
                print(f"  {title} {count}: {reason}")
    print("all".ljust(26) + "".join(str(total.get(column, 0)).rjust(13) for column in columns))
    hooked = total["functions"] - total["refused"] - total["crash"]
    share = 100 * hooked / max(1, total["functions"])
    print(f"hooked: {share:.3f} % of {total['functions']} functions")
    if options.output:
        with open(options.output, "w") as file:
            json.dump({"states": options.states, "hooked_percent": round(share, 4), "libraries": results}, file, indent=1)
            file.write("\n")
    bad = sum(len(result["problems"]) for result in results)
    if options.control:
        print(f"the control: {bad} found wrong")
        sys.exit(0 if bad else 1)
    sys.exit(1 if bad or share < 99.9 else 0)


if __name__ == "__main__":
    main()
