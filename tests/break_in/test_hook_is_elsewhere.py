#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The program that is installed has no byte of the break-in hook, and the program with the hook is neither a release nor installed."""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "scenario"))

from node import Skip, main, program, scenario  # noqa: E402


def traces():
    """What the hook would leave in a program: its marker, its names, the words of its board."""
    marker = re.search(r'break_in_marker\[\][^"]*"([^"]+)"', (HERE / "hook.c").read_text()).group(1)
    return [w.encode() for w in (marker, "break_in_marker", "FAIRWAY_BREAK_IN", "attempts_system", "__wrap_sandbox_enter")]


def found_in(path):
    data = pathlib.Path(path).read_bytes()
    return [t.decode() for t in traces() if t in data]


@scenario
def the_program_has_no_trace_of_it(folder):
    assert found_in(program()) == []


@scenario
def the_program_with_the_hook_has_them_all(folder):
    """so that the search above can fail"""
    build = os.environ.get("FAIRWAY_BREAK_IN_DIR")
    path = pathlib.Path(build or "-") / "tests" / "break_in" / "fairway-break-in"
    if not path.exists():
        raise Skip("FAIRWAY_BREAK_IN_DIR names no build with -Dbreak_in=true")
    assert len(found_in(path)) == len(traces()), found_in(path)
    beside = pathlib.Path(build) / "src" / "cmd" / "fairway"
    assert not beside.exists() or found_in(beside) == []


@scenario
def no_product_file_knows_of_it(folder):
    for path in sorted((SOURCE / "src").rglob("*.[ch]")):
        assert "break_in" not in path.read_text() and "BREAK_IN" not in path.read_text(), path


@scenario
def the_page_has_the_figures_of_the_table(folder):
    import test_break_in as table
    page = (SOURCE / "docs" / "security-processes.md").read_text()
    figures = [int(n) for n in re.findall(r"\d+", re.search(r"^.*Figures: (.*)$", page, re.M).group(1))]
    tried = sum(len(row[2].split()) for row in table.ROWS)
    assert figures == [len(table.ROWS), tried, len(list(table.rows_of_supervisor())), len(table.MESSAGES), len(table.READER)], figures


def setup(folder, *options):
    return subprocess.run(["meson", "setup", str(folder / "build"), str(SOURCE), "-Dbreak_in=true", "-Dweb=false",
                           "-Dbench=false", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@scenario
def a_release_with_it_is_refused(folder):
    done = setup(folder, "--buildtype=release")
    assert done.returncode != 0 and "break_in is for a debug build" in done.stdout, done.stdout[-500:]


@scenario
def it_is_not_among_what_is_installed(folder):
    done = setup(folder)
    assert done.returncode == 0, done.stdout[-500:]
    made, installed = (subprocess.run(["meson", "introspect", str(folder / "build"), what], stdout=subprocess.PIPE,
                                      text=True).stdout for what in ("--targets", "--installed"))
    assert "fairway-break-in" in made and "src/cmd/fairway" in installed
    assert "fairway-break-in" not in installed


if __name__ == "__main__":
    main()
