#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns the .sql files into tables of C.  docs/sql.md describes their form.

    mksql.py --root ROOT [--tests] --header sql.h --source sql.c --depfile sql.d
    mksql.py --root ROOT --check        only read and check
"""
import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sqlfile  # noqa: E402
import sqllint  # noqa: E402

# Migrations run module by module in this order, which follows the layers.
MODULES = ["ledger", "access", "outbox", "report", "protect", "test"]
LICENCE = "/* SPDX-License-Identifier: AGPL-3.0-or-later */\n/* Made by tools/mksql.py from the .sql files. */\n"


def sql_files(root, tests):
    """(files, folders looked into): the product's first, so that tests never shift an id."""
    found, folders = [], []
    for top in [root / "src"] + ([root / "tests"] if tests else []):
        folders += [top] + sorted(p for p in top.rglob("*") if p.is_dir())
        found += sorted(top.rglob("*.sql"))
    return found, folders


class Sql:
    def __init__(self, root, tests):
        self.statements, self.migrations = [], []
        self.files, self.folders = sql_files(root, tests)
        seen = {}
        for path in self.files:
            name = path.relative_to(root).as_posix()
            for block in sqlfile.read_blocks(name, path.read_text(encoding="utf-8")):
                sqllint.check(block)
                if block.value in seen:
                    block.fail(f"{block.kind} {block.value} stands already in {seen[block.value]}")
                seen[block.value] = f"{name}:{block.line}"
                (self.statements if block.kind == "name" else self.migrations).append(block)
        self.migrations.sort(key=self.migration_key)
        self.check_numbers()

    @staticmethod
    def migration_key(block):
        m = re.fullmatch(r"([a-z]+) ([1-9][0-9]{0,3})", block.value)
        if not m:
            block.fail("write \"-- migration: MODULE NUMBER\"")
        if m.group(1) not in MODULES:
            block.fail(f"{m.group(1)} is no module of tools/mksql.py: {' '.join(MODULES)}")
        return MODULES.index(m.group(1)), int(m.group(2))

    def check_numbers(self):
        last = {}
        for block in self.migrations:
            module, number = block.value.split()
            if int(number) != last.get(module, 0) + 1:
                block.fail(f"migration {block.value} comes after {module} {last.get(module, 0)}: numbers have no gap")
            last[module] = int(number)


def quoted(text):
    """A C string literal, cut into lines a reader can follow."""
    escaped = [text[i:i + 88].replace("\\", "\\\\").replace('"', '\\"') for i in range(0, len(text), 88)]
    return "\n\t\t".join(f'"{part}"' for part in escaped)


def header(sql):
    out = [LICENCE, "#ifndef FW_GEN_SQL_H\n#define FW_GEN_SQL_H\n\n#include \"store/store.h\"\n\nenum sql_id {\n"]
    out += [f"\tSQL_{b.value.upper()},\n" for b in sql.statements]
    out.append("\tSQL_COUNT,\n};\n\n")
    out.append(f"enum {{ STORE_MIGRATION_COUNT = {len(sql.migrations)} }};\n\n")
    out.append("extern const struct store_statement store_statements[SQL_COUNT];\n")
    out.append("extern const struct store_migration store_migrations[STORE_MIGRATION_COUNT + 1];\n\n#endif\n")
    return "".join(out)


def statement_row(b):
    args = b.args()
    types = ", ".join("STORE_" + kind for _, kind in args) or "STORE_NULL"
    return (f"\t{{\n\t\t.name = \"{b.value}\",\n\t\t.sql[STORE_SQLITE] = {quoted(b.render('sqlite'))},\n"
            f"\t\t.sql[STORE_PG] = {quoted(b.render('pg'))},\n"
            f"\t\t.arg_names = \"{' '.join(name for name, _ in args)}\",\n"
            f"\t\t.arg_types = (const uint8_t[]){{ {types} }},\n\t\t.nargs = {len(args)},\n"
            f"\t\t.writes = {'true' if sqllint.writes(b) else 'false'},\n"
            f"\t\t.many = {'true' if b.many() else 'false'},\n"
            f"\t\t.roles = {b.words('roles', sqlfile.ROLES):#x},\n\t}},\n")


def migration_row(b):
    module, number = b.value.split()
    checksum = ", ".join(f"0x{x:02x}" for x in b.checksum())
    return (f"\t{{\n\t\t.module = \"{module}\",\n\t\t.number = {number},\n\t\t.vaults = {b.words('vaults', sqlfile.VAULTS):#x},\n"
            f"\t\t.checksum = {{ {checksum} }},\n\t\t.sql[STORE_SQLITE] = {quoted(b.render('sqlite'))},\n"
            f"\t\t.sql[STORE_PG] = {quoted(b.render('pg'))},\n\t}},\n")


def source(sql):
    out = [LICENCE, "#include \"gen/sql.h\"\n\nconst struct store_statement store_statements[SQL_COUNT] = {\n"]
    out += [statement_row(b) for b in sql.statements]
    out.append("};\n\nconst struct store_migration store_migrations[STORE_MIGRATION_COUNT + 1] = {\n")
    out += [migration_row(b) for b in sql.migrations]
    out.append("\t{ .module = NULL },\n};\n")
    return "".join(out)


def write_if_changed(path, text):
    path = pathlib.Path(path)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--check", action="store_true")
    for name in ("--header", "--source", "--depfile"):
        parser.add_argument(name)
    opt = parser.parse_args(argv)
    try:
        sql = Sql(opt.root, opt.tests)
        if not opt.check:
            write_if_changed(opt.header, header(sql))
            write_if_changed(opt.source, source(sql))
            # Folders too: a new file in one must make the tables anew.
            needs = " ".join(str(p).replace(" ", "\\ ") for p in sql.files + sql.folders)
            pathlib.Path(opt.depfile).write_text(f"{opt.header}: {needs}\n", encoding="utf-8")
    except sqlfile.SqlError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
