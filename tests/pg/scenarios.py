# SPDX-License-Identifier: AGPL-3.0-or-later
"""A script of tests/scenario, with every node that it makes on PostgreSQL.

    with_postgres.py --node scenarios.py [--long] SCRIPT [SCENARIO ...]

With --long only in a long run of the tests.
"""
import itertools
import runpy
import sys

import server

server.skip_without()
import node  # noqa: E402

numbers = itertools.count(1)
on_sqlite, as_it_is = node.Node.init, node.scenario
# Scenarios that look into files of SQLite past the node.
FILES = {"a_person_is_handed_over_and_only_a_receipt_comes_back"}


def init(self):
    """Its databases are its own and new; they go with the server."""
    if "--store" not in self.init_options:
        prefix = f"s{next(numbers)}"
        server.fresh_databases(prefix)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.init_options += ["--store", server.SERVER.replace("?", prefix + "?"), "--password-file",
                              str(server.passwords(self.folder / f"passwords-{prefix}", prefix))]
    return on_sqlite(self)


def scenario(function):
    def skipped(_):
        raise node.Skip("it looks into SQLite's files")
    skipped.__name__ = function.__name__
    return as_it_is(skipped if function.__name__ in FILES else function)


node.Node.init, node.scenario = init, scenario
sys.argv.pop(0)
if sys.argv[0] == "--long":
    sys.argv.pop(0)
    if not node.long():
        print("1..0 # SKIP in long runs only (FAIRWAY_LONG)")
        sys.exit(0)
runpy.run_path(sys.argv[0], run_name="__main__")
