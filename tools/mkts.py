#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the TypeScript side of the tables: the shapes as types, the operations
with their parameters, bodies and answers, and the codes.

    mkts.py OUT.ts [TBL-FOLDER]
"""
import pathlib
import re
import sys

import tables

ROOT = pathlib.Path(__file__).resolve().parents[1]


def string(s):
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def union(codes):
    return " | ".join(string(c) for c in codes) if codes else "never"


def value_type(v):
    return {"int": "number", "real": "number", "bool": "boolean", "count": "Count", "shape": v.shape,
            "object": "Record<string, unknown>", "enum": union(v.choices or [])}.get(v.type, "string")


def field_type(v):
    t = value_type(v) + (" | null" if v.null else "")
    return (f"({t})[]" if " | " in t else f"{t}[]") if v.array else t


def comment(words):
    return "/** " + words.replace("*/", "* /") + " */"


def members(rows, indent):
    return "".join(f"{indent}{comment(words)}\n{indent}{name}{'' if required else '?'}: {kind};\n"
                   for name, required, kind, words in rows)


def shape(s):
    rows = [(f.name, f.required, field_type(f.value), f.words) for f in s.fields]
    return f"{comment(s.words)}\nexport interface {s.name} {{\n{members(rows, '  ')}}}\n"


def block(rows):
    return "{\n" + members(rows, "      ") + "    }" if rows else "Record<string, never>"


def operation_type(r):
    params = tables.params_of(r.path, r.at)
    given = [(p, True, "Vault" if p == "vault" else "string", "Part of the path") for p in params]
    queries = [(q.name, q.required, value_type(q.value), q.words) for q in r.queries]
    body = {"none": "undefined", "json": r.shape, "upload": "Blob"}[r.body]
    good = next(a for a in r.answers if a.status < 300)
    answer = good.shape or ("Blob" if good.bytes else "undefined")
    return (f"  {comment(r.words)}\n  {r.operation}: {{\n    params: {block(given)};\n    query: {block(queries)};\n"
            f"    body: {body};\n    answer: {answer};\n  }};\n")


def operation_row(r):
    flags = f"body: '{r.body}', purpose: {str(r.purpose).lower()}, stream: {str(r.stream).lower()}"
    return (f"  {r.operation}: {{ method: '{r.method}', path: {string(r.path)}, vault: '{r.vault}', "
            f"permission: {string(r.perm)}, {flags} }},\n")


def error_codes():
    text = (ROOT / "src" / "base" / "err.h").read_text(encoding="utf-8")
    return re.findall(r"\bERR\((FW_E\w+),", text)


def module(t):
    out = ["// SPDX-License-Identifier: AGPL-3.0-or-later\n// Made by tools/mkts.py from src/tbl; do not edit.\n"]
    out.append("/** A number, or why there is none. */\nexport type Count = number | 'unknown' | 'not_collected' | 'withheld';\n")
    out += [shape(s) for s in t.shapes]
    out.append(f"export type Vault = {union(tables.VAULTS)};\n")
    out.append(f"export type Permission = {union(p.code for p in t.perms)};\n")
    out.append(f"export type Role = {union(r.name for r in t.roles)};\n")
    out.append(f"export type Purpose = {union(p.code for p in t.purposes)};\n")
    out.append(f"export type LedgerEvent = {union(e.code for e in t.ledger_events)};\n")
    out.append("/** A Problem's code, when the node itself says it; an error of its machine has the system's name. */\n"
               f"export type ErrorCode = {union(error_codes())};\n")
    rows = "".join(f"  {r.name}: {{ vault: '{r.vault}', words: {string(r.words)}, "
                   f"permissions: [{', '.join(string(p) for p in r.perms)}] }},\n" for r in t.roles)
    out.append("export const roles: { readonly [R in Role]: { readonly vault: Vault; readonly words: string; "
               f"readonly permissions: readonly Permission[] }} }} = {{\n{rows}}};\n")
    rows = "".join(f"  {p.code}: {{ vaults: [{', '.join(string(v) for v in p.vaults)}], words: {string(p.words)} }},\n"
                   for p in t.purposes)
    out.append("export const purposes: { readonly [P in Purpose]: { readonly vaults: readonly Vault[]; "
               f"readonly words: string }} }} = {{\n{rows}}};\n")
    out.append("/** What goes into each operation and comes out of it. */\nexport interface Operations {\n"
               + "".join(operation_type(r) for r in t.routes) + "}\n")
    out.append("export interface OperationRow {\n  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';\n"
               "  readonly path: string;\n  readonly vault: Vault | 'each';\n"
               "  /** A permission; public, session; or *.NAME: that of the vault named in the path. */\n"
               "  readonly permission: string;\n  readonly body: 'none' | 'json' | 'upload';\n"
               "  readonly purpose: boolean;\n  readonly stream: boolean;\n}\n")
    out.append("export const operations: { readonly [O in keyof Operations]: OperationRow } = {\n"
               + "".join(operation_row(r) for r in t.routes) + "};\n")
    return "\n".join(out)


def main(argv):
    if len(argv) not in (1, 2):
        print("mkts.py OUT.ts [TBL-FOLDER]", file=sys.stderr)
        return 2
    try:
        text = module(tables.load(argv[1] if len(argv) == 2 else ROOT / "src" / "tbl"))
    except tables.Fault as e:
        print(e, file=sys.stderr)
        return 1
    out = pathlib.Path(argv[0])
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.exists() or out.read_text(encoding="utf-8") != text:  # the bundler rebuilds what changed
        out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
