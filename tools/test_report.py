#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Count what a test run found, and end with one line.

    test_report.py meson-logs/testlog.json

Programs that print TAP are counted by their single tests; others count as one.
A program that fails without a failing TAP line (it crashed, or a sanitizer
spoke) counts as one failure more.  Exit status 0 only if nothing failed and
something passed.
"""
import json
import re
import sys

TAP = re.compile(r"^(not )?ok \d+(.*)$", re.M)


def count(entry):
    passed = failed = skipped = 0
    for bad, rest in TAP.findall(entry.get("stdout") or ""):
        if re.search(r"#\s*skip", rest, re.I):
            skipped += 1
        elif bad:
            failed += 1
        else:
            passed += 1
    result = entry["result"]
    if passed + failed + skipped == 0:
        passed, failed, skipped = (result == "OK"), (result not in ("OK", "SKIP")), (result == "SKIP")
    elif result not in ("OK", "SKIP") and failed == 0:
        failed = 1
    return int(passed), int(failed), int(skipped)


def main(path):
    total = [0, 0, 0]
    bad, left = [], []
    try:
        with open(path, encoding="utf-8") as f:
            lines = [line for line in f if line.strip()]
    except OSError:
        lines = []
    for line in lines:
        entry = json.loads(line)
        counts = count(entry)
        total = [a + b for a, b in zip(total, counts)]
        if counts[1]:
            bad.append(entry["name"])
        for text in re.findall(r"^.*skipped: .*$", entry.get("stdout") or "", re.M):
            left.append(f"{entry['name']}: {text.lstrip('# ')}")
    for text in left:
        print("skipped  " + text)
    for name in bad:
        print("failed   " + name)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 0 if total[0] > 0 and total[1] == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
