#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the tables in C.

    mktables.py TBL-FOLDER OUT.h OUT.c

Reads the tables by tools/tables.py; a table that breaks a rule stops the build
with its file and line.  The same tables always give the same bytes.
"""
import sys

import tables
from tables import c_name

NOTE = "/* SPDX-License-Identifier: AGPL-3.0-or-later */\n/* Made by tools/mktables.py from src/tbl; do not edit. */\n"


def c_string(s):
    if s is None:
        return "NULL"
    out, after_hex = [], False
    for b in s.encode():
        ch = chr(b)
        if ch in '"\\':
            out.append("\\" + ch)
        elif ch == "\n":
            out.append("\\n")
        elif 32 <= b < 127:
            # A hex digit after \x would belong to it.
            out.append(('""' if after_hex and ch in "0123456789abcdefABCDEF" else "") + ch)
        else:
            out.append(f"\\x{b:02x}")
        after_hex = b < 32 and ch != "\n" or b >= 127
    return '"' + "".join(out) + '"'


def c_bool(v):
    return "true" if v else "false"


def c_double(v):
    return repr(float(v)) if abs(v) >= 1e15 and v != int(v) else f"{v:.1f}" if v == int(v) else repr(v)


def bits(names, order):
    return sum(1 << order.index(n) for n in set(names))


def enum(name, prefix, codes, numbers=None, count=True):
    out = [f"enum {name} {{"]
    for i, code in enumerate(codes):
        out.append(f"\t{c_name(prefix, code)}{f' = {numbers[i]}' if numbers else ''},")
    if count:
        out.append(f"\t{prefix}COUNT{f' = {len(codes)}' if numbers else ''}")
    return "\n".join(out + ["};", ""])


C_TYPES = {"string": "const char *", "path": "const char *", "int": "int64_t ", "bool": "bool ", "enum": "int "}


def header(t):
    out = [NOTE, "#ifndef FW_GEN_TABLES_H\n#define FW_GEN_TABLES_H\n", '#include "tbl/rows.h"\n']
    out.append(enum("vault", "VAULT_", [v.name for v in t.vaults]))
    out.append(enum("perm", "PERM_", [p.code for p in t.perms]))
    out.append(enum("role", "ROLE_", [r.name for r in t.roles]))
    out.append(enum("op", "OP_", [r.operation for r in t.routes]))
    out.append(enum("msg", "MSG_", [m.name for m in t.messages]))
    out.append("/* Permanent numbers; ledger_event_rows holds LEDGER_EV_COUNT rows, found by ledger_event_find(). */")
    out.append(enum("ledger_event", "LEDGER_EV_", [e.code for e in t.ledger_events], [e.number for e in t.ledger_events],
                    False))
    out.append(enum("purpose", "PURPOSE_", [p.code for p in t.purposes]))
    out.append(enum("metric", "METRIC_", [m.name.removeprefix("fairway_") for m in t.metrics]))
    out.append(enum("cmd", "CMD_", [command_code(c) for c in t.commands]))
    out.append(enum("fw_exit", "FW_EXIT_", [e.name for e in t.exits], [e.status for e in t.exits], False))
    for s in t.settings:
        if s.choices:
            out.append(enum(f"setting_{s.section}_{s.key}", f"SET_{s.section}_{s.key}_".upper(), s.choices, None, False))
    out.append("enum {\n\tROUTE_COUNT = %d, /* a route of several vaults counts once for each */" % len(t.route_rows))
    out.append("\tSHAPES_COUNT = %d,\n\tLEDGER_EV_COUNT = %d,\n\tSETTING_COUNT = %d,\n\tEXIT_COUNT = %d,\n};\n"
               % (len(t.shapes), len(t.ledger_events), len(t.settings), len(t.exits)))
    out.append("/* Every setting with the value that holds. Enums hold the index of the choice (SET_...). */\nstruct settings {")
    out += [f"\t{C_TYPES[s.type]}{s.section}_{s.key};" for s in t.settings]
    out.append("};\n")
    for name, row, count in ARRAYS:
        out.append(f"extern const struct {row} {name}[{count}];")
    out.append("\n#endif\n")
    return "\n".join(out)


ARRAYS = [("vault_rows", "vault_row", "VAULT_COUNT"), ("perm_rows", "perm_row", "PERM_COUNT"),
          ("role_rows", "role_row", "ROLE_COUNT"), ("shapes", "shape", "SHAPES_COUNT"),
          ("route_rows", "route_row", "ROUTE_COUNT"), ("message_rows", "message_row", "MSG_COUNT"),
          ("ledger_event_rows", "ledger_event_row", "LEDGER_EV_COUNT"), ("purpose_rows", "purpose_row", "PURPOSE_COUNT"),
          ("metric_rows", "metric_row", "METRIC_COUNT"), ("setting_rows", "setting_row", "SETTING_COUNT"),
          ("command_rows", "command_row", "CMD_COUNT"), ("exit_rows", "exit_row", "EXIT_COUNT")]


def command_code(c):
    return c.command + ("_" + c.verb if c.verb else "")


class Source:
    """The .c file: helper arrays are written before the table that points to them, once each."""

    def __init__(self, t):
        self.t = t
        self.out = [NOTE, '#include "gen/tables.h"\n\n#include <stddef.h>\n']
        self.lists = {}
        self.shape_index = {s.name: i for i, s in enumerate(t.shapes)}

    def strings(self, values):
        """Name of an array of strings with NULL at its end."""
        if values is None:
            return "NULL"
        key = tuple(values)
        if key not in self.lists:
            self.lists[key] = f"list_{len(self.lists)}"
            body = ", ".join(c_string(v) for v in values) + (", " if values else "") + "NULL"
            self.out.append(f"static const char *const {self.lists[key]}[] = {{ {body} }};")
        return self.lists[key]

    def array(self, kind, name, rows):
        """A static array of rows; NULL for none."""
        if not rows:
            return "NULL"
        self.out.append(f"static const struct {kind} {name}[] = {{\n" + "".join(f"\t{r},\n" for r in rows) + "};")
        return name

    def table(self, name, rows):
        kind, count = next((k, c) for n, k, c in ARRAYS if n == name)
        self.out.append(f"\nconst struct {kind} {name}[{count}] = {{\n" + "".join(f"\t{r},\n" for r in rows) + "};\n")

    def value(self, v):
        kind = "SHAPE_" + v.type.upper()
        shape = f"&shapes[{self.shape_index[v.shape]}]" if v.shape else "NULL"
        return (f"{{ {kind}, {c_double(v.min)}, {c_double(v.max)}, {self.strings(v.choices)}, "
                f"{c_string(v.codebook)}, {shape} }}")

    def field(self, f):
        v = f.value
        return (f"{{ {c_string(f.name)}, {self.value(v)}, {c_bool(v.array)}, {v.amin}, {v.amax}, {c_bool(f.required)}, "
                f"{c_bool(f.secret)}, {c_string(f.words)} }}")

    def access(self):
        t, vault = self.t, lambda v: c_name("VAULT_", v)
        bit = {p.code: p.bit for p in t.perms}
        self.table("vault_rows", [f"{{ {c_string(v.name)}, {c_string(v.name)}, {c_string(v.words)} }}" for v in t.vaults])
        self.table("perm_rows", [f"{{ {c_string(p.code)}, {vault(p.vault)}, {p.bit}, {c_string(p.words)} }}" for p in t.perms])
        self.table("role_rows", [f"{{ {c_string(r.name)}, {vault(r.vault)}, "
                                 f"UINT64_C({sum(1 << bit[p] for p in r.perms):#x}), {c_string(r.words)} }}" for r in t.roles])

    def shapes(self):
        rows = []
        for s in self.t.shapes:
            fields = self.array("shape_field", "fields_" + s.name, [self.field(f) for f in s.fields])
            rows.append(f"{{ {c_string(s.name)}, {c_string(s.words)}, {fields}, {len(s.fields)} }}")
        self.table("shapes", rows)

    def answer(self, a):
        shape = f"&shapes[{self.shape_index[a.shape]}]" if a.shape else "NULL"
        return f"{{ {a.status}, {shape}, {c_bool(a.bytes)}, {c_string(a.words)} }}"

    def routes(self):
        rows = []
        for r in self.t.route_rows:
            name = r.operation if self.t.routes[self.t_index(r)].vault != "each" else f"{r.operation}_{r.vault}"
            params = self.array("param_row", "params_" + name,
                                [f"{{ {c_string(p)}, {'SHAPE_UUID' if p == 'id' else 'SHAPE_CODE'} }}" for p in r.params])
            queries = self.array("query_row", "queries_" + name,
                                 [f"{{ {c_string(q.name)}, {self.value(q.value)}, {c_bool(q.required)}, {c_string(q.words)} }}"
                                  for q in r.queries])
            answers = self.array("answer_row", "answers_" + name, [self.answer(a) for a in r.answers])
            shape = f"&shapes[{self.shape_index[r.shape]}]" if r.shape else "NULL"
            flags = " | ".join([f for f, on in (("ROUTE_PURPOSE", r.purpose), ("ROUTE_STREAM", r.stream)) if on]) or "0"
            rows.append(f"{{ {c_name('OP_', r.operation)}, {c_string(r.operation)}, {c_string(r.method)}, {c_string(r.path)}, "
                        f"{c_name('VAULT_', r.vault)}, {c_name('PERM_', r.perm)}, BODY_{r.body.upper()}, {shape}, {flags}, "
                        f"{params}, {len(r.params)}, {queries}, {len(r.queries)}, {answers}, {len(r.answers)}, "
                        f"{c_string(r.words)} }}")
        self.table("route_rows", rows)

    def t_index(self, row):
        return next(i for i, r in enumerate(self.t.routes) if r.operation == row.operation)

    def small(self):
        t, procs, vaults = self.t, tables.PROCS, tables.VAULTS
        self.table("message_rows", [
            f"{{ {c_string(m.name)}, {bits(m.sender, procs):#x}, {bits(m.receiver, procs):#x}, {m.min}, {m.max}, "
            f"{c_bool(m.descriptor)}, {c_string(m.words)} }}" for m in t.messages])
        self.table("ledger_event_rows", [f"{{ {c_name('LEDGER_EV_', e.code)}, {c_string(e.code)}, {c_string(e.words)} }}"
                                         for e in t.ledger_events])
        self.table("purpose_rows", [f"{{ {c_string(p.code)}, {bits(p.vaults, vaults):#x}, {c_string(p.words)} }}"
                                    for p in t.purposes])
        rows = []
        for m in t.metrics:
            name = m.name.removeprefix("fairway_")
            bounds = "NULL"
            if m.bounds:
                bounds = "bounds_" + name
                self.out.append(f"static const double {bounds}[] = {{ {', '.join(repr(b) for b in m.bounds)} }};")
            rows.append(f"{{ {c_string(m.name)}, METRIC_{m.type.upper()}, {self.strings(m.labels)}, {bounds}, "
                        f"{len(m.bounds)}, {c_string(m.words)} }}")
        self.table("metric_rows", rows)
        self.table("exit_rows", [f"{{ {e.status}, {c_string(e.name)}, {c_string(e.words)} }}" for e in t.exits])

    def settings(self):
        self.table("setting_rows", [
            f"{{ {c_string(s.section)}, {c_string(s.key)}, SETTING_{s.type.upper()}, {s.min}, {s.max}, "
            f"{self.strings(s.choices)}, {c_string(s.standard)}, offsetof(struct settings, {s.section}_{s.key}), "
            f"{c_string(s.words)} }}" for s in self.t.settings])

    def option(self, o):
        letter = f"'{o.letter}'" if o.letter else "0"
        return (f"{{ {c_string(o.name)}, {letter}, OPTION_{o.type.upper()}, {c_string(o.argument)}, {o.min}, {o.max}, "
                f"{self.strings(o.choices)}, {c_bool(o.required)}, {c_bool(o.repeat)}, {c_string(o.words)} }}")

    def commands(self):
        rows = []
        for c in self.t.commands:
            code = command_code(c).replace("-", "_")
            options = self.array("option_row", "options_" + code, [self.option(o) for o in c.options])
            arguments = self.array("argument_row", "arguments_" + code, [
                f"{{ {c_string(a.name)}, {c_bool(a.optional)}, {c_bool(a.many)}, {c_string(a.words)} }}" for a in c.arguments])
            examples = self.array("example_row", "examples_" + code,
                                  [f"{{ {c_string(e.line)}, {c_string(e.words)} }}" for e in c.examples])
            rows.append(f"{{ {c_name('CMD_', code)}, {c_string(c.command)}, {c_string(c.verb)}, {c_bool(c.abstract)}, "
                        f"{c_bool(c.hidden)}, {c_bool(c.offline)}, {options}, {len(c.options)}, {arguments}, "
                        f"{len(c.arguments)}, {examples}, {len(c.examples)}, {c_string(c.words)}, {c_string(c.text)} }}")
        self.table("command_rows", rows)

    def text(self):
        for part in (self.access, self.shapes, self.routes, self.small, self.settings, self.commands):
            part()
        return "\n".join(self.out)


def main(argv):
    if len(argv) != 3:
        print("mktables.py TBL-FOLDER OUT.h OUT.c", file=sys.stderr)
        return 2
    try:
        t = tables.load(argv[0])
    except tables.Fault as e:
        print(e, file=sys.stderr)
        return 1
    for path, text in ((argv[1], header(t)), (argv[2], Source(t).text())):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
