# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables of docs/incident-record.md and docs/codebooks.md, for mkdocs.py.

They come from src/domain/report/incident.def (fields, kinds, limits), src/tbl/shapes.tbl (words), report_fields.c
(choices) and data/codebooks.  What does not fit together is a Fault: a field without words, a number without unit,
a limit that differs, a column that the schema does not have.
"""
import re

import mkcodebooks
from tables import Fault

BLOCK_TABLES = {"CORE": "incident"}
SPECIAL = ["CORE", "COUNTS", "DETAIL", "PROV"]
# What one number of a field counts. A new field with a number must say so here.
UNITS = {
    "counts": "persons", "place.lat": "degrees, WGS 84", "place.lon": "degrees, WGS 84", "place.radius_m": "metres",
    "people.count": "persons", "harm.abuses.count": "persons", "means.number": "means of transport",
    "means.persons": "persons on all of the row", "means.capacity": "persons", "facilitators.count": "persons",
    "documents.count": "documents", "response.referred.count": "persons",
    "fees.low": "whole units of the currency", "fees.typical": "whole units of the currency",
    "fees.high": "whole units of the currency",
}
NUMBERS = ("COUNT", "INT", "DEG")


class Field:
    def __init__(self, block, column, kind, arg, most, path):
        self.block, self.column, self.kind, self.arg, self.max, self.path = block, column, kind, arg, int(most), path
        self.words, self.required = "", False

    @property
    def unit(self):
        return UNITS.get(self.path) or (UNITS["counts"] if self.path.startswith("counts.") else None)


class Block:
    """Rows of one table. ${path}: where they stand in JSON."""

    def __init__(self, name, path, most):
        self.name, self.path, self.max, self.fields = name, path, int(most), []


def read_def(text):
    """Items in the order of JSON: Field for one of a block with one row, Block for rows."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    items, blocks, inside = [], {}, None
    for macro, args in re.findall(r"^(\w+)\(([^)]*)\)$", text, re.M):
        a = [x.strip().strip('"') for x in args.split(",")]
        if macro in SPECIAL:
            path = f"{a[4]}.{a[5]}" if a[4] else a[5]
            items.append(Field(macro, a[0], a[1], a[2], a[3], path))
        elif macro == "ROWS":
            blocks[a[0]] = Block(a[0], f"{a[1]}.{a[2]}" if a[1] else a[2], a[3])
            items.append(blocks[a[0]])
        elif macro == "BLOCK":
            inside = blocks[a[0]]
        elif macro == "CHILD":
            inside.fields.append(Field(a[0], a[1], a[2], a[3], a[4], f"{inside.path}.{a[5]}".rstrip(".")))
    return items


def read_choices(text):
    lists = {name: re.findall(r'"(\w+)"', body)
             for name, body in re.findall(r"static const char \*const (\w+)\[\] = \{([^}]*)\};", text)}
    return {name: lists[of] for name, of in re.findall(r"\[(CHOICES_\w+)\] = (\w+)", text)}


def columns(schema):
    """Columns by table, of CREATE TABLE report_X."""
    found = {}
    for name, body in re.findall(r"CREATE TABLE report_(\w+) \((.*?)\n\)", schema, re.S):
        found[name] = set(re.findall(r"(?:^|, )\s*([a-z_]+) (?:UUID|INT|TEXT|REAL|BYTES)\b", body, re.M))
    return found


class Record:
    def __init__(self, root, t):
        report = root / "src" / "domain" / "report"
        self.items = read_def((report / "incident.def").read_text(encoding="utf-8"))
        self.choices = read_choices((report / "report_fields.c").read_text(encoding="utf-8"))
        self.columns = columns((report / "report_schema.sql").read_text(encoding="utf-8"))
        self.books = mkcodebooks.read(root / "data" / "codebooks")
        self.shapes = {s.name: s for s in t.shapes}
        self.enums = {f"CB_{b.name.upper()}": b for b in self.books}
        for f in self.fields():
            self.join(f)

    def fields(self):
        for item in self.items:
            yield from item.fields if isinstance(item, Block) else [item]

    def shape_field(self, path):
        """The row of shapes.tbl for a path of NewIncident."""
        shape, found = self.shapes["NewIncident"], None
        if path.startswith("provenance."):
            shape, path = self.shapes["Provenance"], path.partition(".")[2]
        for name in path.split("."):
            found = next((f for f in shape.fields if f.name == name), None) if shape else None
            if found is None:
                raise Fault(f"incident.def: {path} has no field in shapes.tbl")
            shape = self.shapes.get(found.value.shape)
        return found

    def join(self, f):
        shape = self.shape_field(f.path)
        f.words, f.required = shape.words, shape.required
        v = shape.value
        if f.kind in ("CODE", "SET") and v.codebook is not None and self.enums[f.arg].name != v.codebook:
            raise Fault(f"incident.def: {f.path} is of another codebook in shapes.tbl")
        if f.kind == "ENUM" and self.choices[f.arg] != v.choices:
            raise Fault(f"report_fields.c: the choices of {f.path} differ in shapes.tbl")
        if f.kind == "TEXT" and v.type == "string" and not v.array and f.max != v.max:
            raise Fault(f"incident.def: {f.path} has {f.max} bytes, in shapes.tbl {v.max}")
        if f.kind in NUMBERS and f.unit is None:
            raise Fault(f"incident.def: {f.path} is a number without unit; name it in tools/docs_record.py")
        table = self.table(f)
        for column in [f.column.lower()] + ([f.column.lower() + "_why"] if f.kind == "COUNT" else []):
            if column not in self.columns[table]:
                raise Fault(f"report_schema.sql: report_{table} has no column {column}")

    def table(self, f):
        return BLOCK_TABLES.get(f.block, f.block.lower())

    # ---- words ----

    def kind(self, f):
        book = self.enums.get(f.arg)
        link = f"[{book.name}](codebooks.md#{book.name})" if book else ""
        return {
            "TEXT": f"text, {f.max:,} bytes", "UUID": "identifier (UUID)", "CODE": f"code of {link}",
            "SET": f"codes of {link}", "ENUM": ", ".join(f"`{c}`" for c in self.choices.get(f.arg, [])), "COUNT": "count",
            "INT": f"whole number, 0 to {f.max:,}", "BOOL": "`true`, or absent", "DATE": "date: year, month or day",
            "TIME": "time, UTC, microseconds", "DEG": f"decimal, -{f.max} to {f.max}, seven places",
        }[f.kind]

    def states(self, f):
        if f.kind == "COUNT":
            return "a number, `\"unknown\"`, `\"withheld\"`; absent: not collected"
        book = self.enums.get(f.arg)
        words = self.choices.get(f.arg, []) if f.kind == "ENUM" else [v.code for v in book.values] if book else []
        if f.path.startswith("empty."):
            return "absent: not collected"
        said = [w for w in ("unknown", "not_collected", "withheld") if w in words]
        said += [v.code for v in book.values if v.labels["en"] == "Unknown" and v.code not in said] if book else []
        if f.kind == "BOOL":
            return "absent: not so, or not said"
        return (", ".join(f"`{w}`" for w in said) + "; " if said else "") + "absent: not collected"


def heading(path):
    return {"": "The report itself", "when": "When", "place": "Place", "journey": "Journey", "detection": "Detection",
            "counts": "Counts", "empty": "What is said of empty blocks", "harm": "Harm", "facilitation": "Facilitation",
            "response": "Response", "confidence": "Confidence", "impact": "Impact", "handling": "Handling",
            "provenance": "Provenance"}[path]


def row(record, f):
    return [f"`{f.path}`", f.words + (" (required)" if f.required else ""), record.kind(f), f.unit or "",
            record.states(f), f"`report_{record.table(f)}.{f.column.lower()}`"]


HEADS = ["Field", "Meaning", "Form", "Unit", "What may stand there", "Column"]


def record_tables(record, table):
    """Groups of single fields, then rows, in the order in which they first stand in JSON."""
    groups, out = {}, []
    for item in record.items:
        if isinstance(item, Field):
            groups.setdefault(item.path.rpartition(".")[0], []).append(item)
    for group, fields in groups.items():
        out.append(f"### {heading(group)}\n")
        if group == "handling":
            out.append("The node keeps these marks; nothing acts on them yet *(planned)*.\n")
        out.append(table(HEADS, [row(record, f) for f in fields]))
    for block in (i for i in record.items if isinstance(i, Block)):
        shape = record.shape_field(block.path)
        words = record.shapes[shape.value.shape].words if shape.value.shape else shape.words
        out.append(f"### `{block.path}`\n")
        out.append(f"{words}. At most {block.max} rows, in their order; table `report_{block.name.lower()}`.\n")
        out.append(table(HEADS, [row(record, f) for f in block.fields]))
    n = sum(1 for _ in record.fields())
    out.append(f"{n} fields in {len(groups)} groups and {sum(isinstance(i, Block) for i in record.items)} tables of rows.\n")
    return "\n".join(out)


LONG = 60  # a longer book is left in its file


def uses(record):
    used = {}
    for f in record.fields():
        if f.arg in record.enums:
            used.setdefault(record.enums[f.arg].name, []).append(f.path)
    return used


def value_row(v):
    notes = [v.note] if v.note else []
    notes += [f"flag `{x}`" for x in v.flags]
    return [f"`{v.code}`", v.labels["en"], f"`{v.parent}`" if v.parent else "", " ".join(notes),
            ", ".join(f"{s} `{x}`" for s, x in v.maps), ", ".join(v.aliases)]


def codebook_tables(record, table):
    used = uses(record)
    index = [[f"[{b.name}](#{b.name})", b.words, b.version, len(b.values),
              ", ".join(f"{lang} {sum(lang in v.labels for v in b.values)}" for lang in mkcodebooks.LANGS),
              ", ".join(f"`{p}`" for p in used.get(b.name, []))] for b in record.books]
    out = [table(["Codebook", "What it lists", "Version", "Values", "Labels", "Fields that use it"], index)]
    for b in record.books:
        out.append(f"### {b.name}\n")
        out.append(f"{b.words}. Version {b.version}. Source: {b.source}\n")
        if len(b.values) > LONG:
            out.append(f"{len(b.values)} values, in {b.at.partition(':')[0]} under `data/codebooks/`.\n")
        else:
            out.append(table(["Code", "English", "Broader", "Note", "Elsewhere", "Also read as"], map(value_row, b.values)))
    return "\n".join(out)
