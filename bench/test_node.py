#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/node runs and says one object with every part in it. No figure is judged here: a test that looks at a clock fails on a busy day."""
import json
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["FAIRWAY_SOURCE"])
done = subprocess.run([sys.executable, str(SOURCE / "bench" / "node"), "--quick", "--json", "--build", os.environ["FAIRWAY_BUILD"]],
                      stdout=subprocess.PIPE, text=True)
assert done.returncode == 0, f"bench/node ended with {done.returncode}"
said = json.loads(done.stdout)

assert said["quick"] is True and said["machine"]["cores"] >= 1
assert said["import"][0]["rows"] == 300 and said["import"][0]["refused"] == 0, said["import"]
assert said["flat"]["synthetic"]["rows"] == 500 and said["flat"]["synthetic"]["refused"] == 0, said["flat"]
for r in said["import"] + [said["flat"]["synthetic"], said["import_alone"]]:
    assert r["per_second"] > 0 and r["rss_most"] >= r["rss_before"] > 0, r
for kind, rows in (("full", 300), ("flat", 500)):
    # What bench_bare and sqlite3 put in is what the node did: reports with all their rows.
    bare, own = said["peers"][kind]["bare_loop"], said["peers"][kind].get("sqlite3_import")
    assert bare["incidents"] == rows and bare["rows"] > 4 * rows, bare
    assert own is None or own["rows"] == bare["rows"], (own, bare)
for what in ("list", "incident"):
    runs = said["http"][what]
    assert "not_measured" in runs or all(r["requests"] > 0 and r["refused"] == 0 and r["p99_us"] >= r["p50_us"] for r in runs), runs
assert said["memory"]["incidents"] == 300 and said["memory"]["rss"] > 0, said["memory"]
assert said["start"]["first_list_ms"] > 0, said["start"]
assert "page" in said
