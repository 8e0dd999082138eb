#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages in Chromium against a real node: synthetic reports imported, then every scenario of run.mjs that needs no mock.

The looks of each page (pages.mjs: four themes of each) are left to the mock's run.
"""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))
from node import Node, Skip, main, scenario, until  # noqa: E402

REPORTS = "2000"


def synthetic():
    program = pathlib.Path(os.environ.get("FAIRWAY_BUILD", HERE.parents[1] / "build")) / "tools" / "make_incidents"
    if not program.exists():
        raise Skip("tools/make_incidents is not built")
    return subprocess.run([str(program), REPORTS], stdout=subprocess.PIPE, check=True).stdout


@scenario
def pages_against_a_node_with_reports(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        handed = officer.post("/api/report/imports?file=synthetic.jsonl", upload=synthetic()).expect(202).json()
        done = until(lambda: (lambda i: i if i["state"] in ("done", "failed") else None)(officer.get("/api/report/imports/" + handed["id"]).json()), 60)
        assert done["added"] == int(REPORTS), done
        run = subprocess.run(["node", str(HERE / "run.mjs"), "--base", node.address, "--skip", "pages"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        if re.match(r"1\.\.0 # SKIP", run.stdout):
            raise Skip(run.stdout.split("SKIP", 1)[1].strip())
        wrong = [block for block in re.split(r"^(?=(?:not )?ok )", run.stdout, flags=re.M) if block.startswith("not ok")]
        assert run.returncode == 0 and not wrong, "".join(wrong) or run.stdout
        assert len(re.findall(r"^ok (?!.*# SKIP)", run.stdout, flags=re.M)) > 20, run.stdout
        assert not node.log_lines("process.death"), node.log_tail()


main()
