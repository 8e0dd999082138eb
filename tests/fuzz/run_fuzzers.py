#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Run every fuzz target: first its whole corpus, then some seconds of new inputs.

FAIRWAY_FUZZ_DIR holds the targets (a clang build with -Dfuzz=true).  Seconds a
target: 8, or 600 with FAIRWAY_LONG.  Prints TAP.  What made a target fail stays
in the file that its message names.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def main():
    folder = os.environ.get("FAIRWAY_FUZZ_DIR")
    targets = sorted(pathlib.Path(folder).glob("fuzz_*")) if folder else []
    targets = [t for t in targets if t.is_file() and os.access(t, os.X_OK)]
    if not targets:
        print("1..0 # SKIP no fuzz targets: FAIRWAY_FUZZ_DIR names no clang build")
        return 0
    seconds = 600 if os.environ.get("FAIRWAY_LONG") else 8
    artefacts = pathlib.Path(os.environ.get("FAIRWAY_ARTEFACTS", SOURCE / "artifacts"))
    artefacts.mkdir(exist_ok=True)
    failed = 0
    print(f"1..{len(targets)}", flush=True)
    for number, target in enumerate(targets, 1):
        name = target.name.removeprefix("fuzz_")
        corpus = SOURCE / "fuzz" / "corpus" / name
        if not corpus.is_dir() or not any(corpus.iterdir()):
            print(f"not ok {number} - {name}: no corpus in fuzz/corpus/{name}", flush=True)
            failed += 1
            continue
        with tempfile.TemporaryDirectory() as found:
            done = subprocess.run(
                [target, found, corpus, f"-max_total_time={seconds}", "-rss_limit_mb=1500", "-timeout=20",
                 "-max_len=65536", "-verbosity=0", f"-artifact_prefix={artefacts}/{name}-"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            failed += 1
            for line in done.stdout.splitlines()[-40:]:
                print("# " + line)
        print(f"{'ok' if done.returncode == 0 else 'not ok'} {number} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
