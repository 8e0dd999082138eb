#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every check of tools/check_house.py is given a house that breaks its rule, and one that does not."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import check_house  # noqa: E402

SPDX = "/* SPDX-License-Identifier: AGPL-3.0-or-later */\n"


def house(files):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check_house.House(root)


class Checks(unittest.TestCase):
    def expect(self, check, bad, good):
        self.assertTrue(list(getattr(house(bad), check)()), f"{check} let it through: {bad}")
        self.assertEqual(list(getattr(house(good), check)()), [])

    def test_layers(self):
        self.expect("layers", {"src/base/a.c": '#include "store/store.h"\n'}, {"src/store/a.c": '#include "base/a.h"\n'})
        self.expect("layers", {"src/domain/report/a.c": '#include "domain/protect/p.h"\n'},
                    {"src/domain/report/a.c": '#include "domain/report/r.h"\n#include "gen/tables.h"\n'})
        self.expect("layers", {"src/base/a.c": '#include "a.h"\n'}, {"src/base/a.c": '/* #include "cmd/x.h" */\n'})

    def test_sql(self):
        self.expect("sql", {"src/node/a.c": 'f("SELECT a FROM b");\n'}, {"src/node/a.c": '/* SELECT a FROM b */ f("select");\n'})
        self.expect("sql", {"src/node/a.c": 'f("DELETE FROM b");\n'}, {"src/store/store_sqlite.c": 'f("DELETE FROM b");\n'})

    def test_banned(self):
        self.expect("banned", {"src/base/a.c": "x = strcpy (a, b);\n"}, {"src/base/a.c": 'my_strcpy(a); f("strcpy("); p->free(x);\n'})
        self.expect("banned", {"src/base/b.c": "p = malloc(3);\n"}, {"src/base/arena.c": "p = malloc(3);\n"})

    def test_spdx(self):
        self.expect("spdx", {"src/base/a.c": "int x;\n"}, {"src/base/a.c": SPDX})

    def test_fuzzed(self):
        target = SPDX + "/* Parses: src/codec/csv.c */\n"
        self.expect("fuzzed", {"src/codec/csv.c": ""},
                    {"src/codec/csv.c": "", "fuzz/codec/fuzz_csv.c": target, "fuzz/corpus/csv/one": "a,b"})
        self.expect("fuzzed", {"src/codec/csv.c": "", "fuzz/codec/fuzz_csv.c": target},  # no corpus
                    {"src/codec/csv.c": "", "fuzz/codec/fuzz_csv.c": target, "fuzz/corpus/csv/one": "a,b"})

    def test_lengths(self):
        self.expect("lengths", {"src/base/a.c": "\n" * 801}, {"src/base/a.c": "\n" * 800})

    def test_addresses(self):
        self.expect("addresses", {"web/package-lock.json": '{"resolved": "x"}'}, {"web/package-lock.json": "{}"})


if __name__ == "__main__":
    unittest.main(verbosity=0)
