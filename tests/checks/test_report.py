#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The last line of ./test must tell the truth: tools/test_report.py on made-up runs."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import test_report  # noqa: E402


def run(*entries):
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:
        for name, result, stdout in entries:
            f.write(json.dumps({"name": name, "result": result, "stdout": stdout}) + "\n")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = test_report.main(f.name)
    return status, out.getvalue().splitlines()[-1]


class Report(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(run(("a", "OK", "1..3\nok 1 - x\nok 2 - y\nok 3 - z # SKIP none\n"), ("b", "OK", "")),
                         (0, "3 passed, 0 failed, 1 skipped"))
        self.assertEqual(run(("a", "FAIL", "ok 1 - x\nnot ok 2 - y\n")), (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_crash_after_good_lines_is_a_failure(self):
        self.assertEqual(run(("a", "ERROR", "ok 1 - x\n")), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertEqual(run(("a", "TIMEOUT", "")), (1, "0 passed, 1 failed, 0 skipped"))

    def test_nothing_run_is_no_success(self):
        self.assertEqual(test_report.main("/nonexistent"), 1)
        self.assertEqual(run(("a", "SKIP", "")), (1, "0 passed, 0 failed, 1 skipped"))


if __name__ == "__main__":
    unittest.main(verbosity=0)
