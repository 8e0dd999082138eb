#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""tools/mksql.py is fed SQL that would not be portable, or not safe, and must refuse it with the place; and good SQL, which must come out right for each engine."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

MKSQL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "mksql.py"
HEAD = "-- name: a_get\n-- roles: strategic\n-- args: x:int\n"
TABLE = "-- migration: report 1\n-- vaults: strategic\nCREATE TABLE t (id UUID NOT NULL PRIMARY KEY, a INT, b TEXT);\n"


def run(text, name="src/domain/report/report.sql"):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        out = [root / "sql.h", root / "sql.c", root / "sql.d"]
        done = subprocess.run([sys.executable, MKSQL, "--root", root, "--header", out[0], "--source", out[1], "--depfile", out[2]],
                              capture_output=True, text=True)
        return done.returncode, done.stderr, out[1].read_text() if out[1].exists() else ""


class Refused(unittest.TestCase):
    def refuse(self, text, words):
        status, err, _ = run(text)
        self.assertEqual(status, 1, text)
        self.assertIn(words, err)
        self.assertRegex(err, r"^src/domain/report/report\.sql:\d+: ")

    def test_statements(self):
        for sql, words in [
            ("SELECT a FROM t WHERE id = nextval('s') AND a = $1;", "nextval"),
            ("SELECT a FROM t WHERE a = $1 FOR UPDATE;", "no row locks"),
            ("SELECT now() FROM t WHERE a = $1;", "now()"),
            ("SELECT a FROM t WHERE b LIKE $1;", "ESCAPE"),
            ("SELECT a FROM t WHERE b = 'Robert''); DROP TABLE t' AND a = $1;", "literal"),
            ("SELECT a FROM t WHERE a = ?1 AND a = $1;", "not portable"),
            ("SELECT a::text FROM t WHERE a = $1;", "not portable"),
            ("SELECT a FROM t WHERE a = $2;", "$2"),
            ("SELECT a FROM t;", "never used"),
            ("UPDATE t SET a = $1;", "WHERE"),
            ("DELETE FROM t; SELECT $1;", "one statement"),
            ("INSERT OR IGNORE INTO t (a) VALUES ($1);", "ON CONFLICT"),
            ("PRAGMA foreign_keys = $1;", "PRAGMA"),
            ("LISTEN x; SELECT $1;", ""),
            ("SELECT json_extract(b, '$.x') FROM t WHERE a = $1;", ""),
            ("SELECT datetime(a) FROM t WHERE a = $1;", "datetime"),
            ("SELECT a FROM t WHERE a = $1", "semicolon"),
        ]:
            self.refuse(HEAD + sql + "\n", words)

    def test_heads(self):
        self.refuse("-- name: a_get\n-- args: x:int\nSELECT a FROM t WHERE a = $1;\n", "roles")
        self.refuse("-- name: a_get\n-- roles: nobody\nSELECT a FROM t;\n", "nobody")
        self.refuse("-- name: a_get\n-- roles: strategic\n-- args: x:date\nSELECT a FROM t WHERE a = $1;\n", "x:date")
        self.refuse("-- name: a_get\n-- roles: strategic\n-- rows: few\nSELECT a FROM t;\n", "few")
        self.refuse("-- name: a_end\n-- roles: strategic\n-- rows: many\n-- args: x:int\nDELETE FROM t WHERE a = $1;\n", "only what reads")
        self.refuse("SELECT a FROM t;\n", "before the first")
        self.refuse(HEAD + "SELECT a FROM t WHERE a = $1;\n" + HEAD + "SELECT a FROM t WHERE a = $1;\n", "stands already")
        self.refuse("-- migration: report 2\n-- vaults: strategic\nCREATE TABLE t (id UUID NOT NULL PRIMARY KEY);\n", "no gap")
        self.refuse("-- migration: nonsense 1\n-- vaults: strategic\nCREATE TABLE t (id UUID NOT NULL PRIMARY KEY);\n", "no module")

    def test_tables(self):
        for sql, words in [
            ("CREATE TABLE t (id SERIAL PRIMARY KEY);", ""),
            ("CREATE TABLE t (id INT PRIMARY KEY AUTOINCREMENT);", "AUTOINCREMENT"),
            ("CREATE TABLE t (id bigint PRIMARY KEY);", "INT"),
            ("CREATE TABLE t (id UUID, a INT);", "PRIMARY KEY"),
            ("CREATE TABLE t (id UUID NOT NULL PRIMARY KEY, d date);", ""),
            ("CREATE TABLE t (id UUID NOT NULL PRIMARY KEY, b json);", ""),
            ("CREATE TABLE t (id UUID NOT NULL PRIMARY KEY, EXCLUDE USING gist (id WITH =));", ""),
            ("CREATE TABLE t (id UUID NOT NULL PRIMARY KEY) INHERITS (u);", "INHERITS"),
            ("CREATE TABLE t (id UUID NOT NULL PRIMARY KEY, r UUID REFERENCES t (id) DEFERRABLE);", "DEFERRABLE"),
            ("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END;", ""),
            ("CREATE INDEX i ON t USING gin (a);", ""),
            ("CREATE TEMPORARY TABLE t (id UUID NOT NULL PRIMARY KEY);", ""),
            ("CREATE SEQUENCE s;", ""),
            ("CREATE EXTENSION postgis;", ""),
            ("LOCK TABLE t;", ""),
        ]:
            self.refuse("-- migration: report 1\n-- vaults: strategic\n" + sql + "\n", words)


class Made(unittest.TestCase):
    def test_each_engine_gets_its_own(self):
        status, err, c = run(TABLE + HEAD + "SELECT a FROM t WHERE a = $1\nAND b IS NOT DISTINCT FROM b -- pg\nAND b IS b -- sqlite\n;\n")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("STRICT", c)
        self.assertIn("id BLOB NOT NULL PRIMARY KEY", c)
        self.assertIn("id uuid NOT NULL PRIMARY KEY", c)
        self.assertIn('COLLATE \\"C\\"', c)
        self.assertIn("a = ?1 AND b IS b", c)
        self.assertIn("a = $1 AND b IS NOT DISTINCT FROM b", c)

    def test_lists_in_checks_are_spelt_out_for_sqlite(self):
        checks = "a INT CHECK (a IN (1, 2, 3)), b TEXT CHECK (b NOT IN ('x', 'y', 'z') OR a IS NULL), c INT CHECK (c IN (0, 1)), CHECK (a + c IN (1, 2, 3))"
        status, err, c = run("-- migration: report 1\n-- vaults: strategic\nCREATE TABLE t (id UUID NOT NULL PRIMARY KEY, " + checks + ");\n" +
                             HEAD + "SELECT a FROM t WHERE a IN (1, 2, 3) AND a = $1;\n")
        self.assertEqual((status, err), (0, ""))
        c = c.replace("\"\n\t\t\"", "")
        self.assertIn("a INT CHECK ((a = 1 OR a = 2 OR a = 3)), b TEXT CHECK ((b <> 'x' AND b <> 'y' AND b <> 'z') OR a IS NULL), "
                      "c INT CHECK (c IN (0, 1))", c)
        self.assertIn("CHECK (a + c IN (1, 2, 3))", c)  # not all of it is one column: left as it is
        self.assertIn("a bigint CHECK (a IN (1, 2, 3))", c)
        self.assertIn("WHERE a IN (1, 2, 3) AND a = ?1", c)

    def test_layout_and_comments_do_not_change_the_checksum(self):
        def checksum(text):
            return run(text)[2].split(".checksum = {")[1].split("}")[0]
        self.assertEqual(checksum(TABLE), checksum(TABLE.replace(", a INT", ",\n\t-- why\n\ta   INT")))
        self.assertNotEqual(checksum(TABLE), checksum(TABLE.replace("a INT", "a INT NOT NULL")))


if __name__ == "__main__":
    unittest.main(verbosity=0)
