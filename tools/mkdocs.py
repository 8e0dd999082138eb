#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the documents that only repeat tables: docs/access.md, docs/settings.md, docs/metrics.md;
and the tables within docs/processes.md, docs/incident-record.md and docs/codebooks.md, between the lines that BEGIN and
END name.

    mkdocs.py            writes them
    mkdocs.py --check    says which differ from their tables; exit status 1 if one does
"""
import pathlib
import sys

import docs_record
import tables

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEGIN = "<!-- From here on made by tools/mkdocs.py; do not edit. -->\n"
END = "<!-- Up to here. -->\n"
NOTE = "<!-- Made by tools/mkdocs.py from src/tbl; do not edit. -->\n"


def cell(s):
    return str(s).replace("|", "\\|")


def table(heads, rows):
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    out += ["| " + " | ".join(cell(c) for c in row) + " |" for row in rows]
    return "\n".join(out) + "\n"


def code(s):
    return f"`{s}`"


def who(r):
    return {"public": "everybody", "session": "any session, even one that owes its second factor",
            "self": "any open session"}.get(r.perm, code(r.perm.replace("*", "{vault}")))


def access(t):
    out = [NOTE, "# Who may do what\n",
           "Administrators make accounts; only a vault's custodian grants a role in it, in the protection vault two of "
           "them together. A role gives permissions in its own vault and nowhere else. What is not in a table here, "
           "nobody may do.\n"]
    for v in t.vaults:
        perms = [p for p in t.perms if p.vault == v.name and p.code != "self"]
        roles = [r for r in t.roles if r.vault == v.name]
        out.append(f"## {v.name.capitalize()}: {v.words[0].lower() + v.words[1:]}\n")
        out.append(table(["Permission", "What it allows"] + [f"{r.words} ({code(r.name)})" for r in roles],
                         [[code(p.code), p.words] + ["yes" if p.code in r.perms else "" for r in roles] for p in perms]))
    out.append("## Operations\n")
    out.append("In a path, `{vault}` is each of the vaults, the house among them.\n")
    out.append(table(["Operation", "Request", "Vault", "Who", "What it does"],
                     [[code(r.operation), code(f"{r.method} {r.path}"), r.vault, who(r),
                       r.words + (" (a purpose must be named)" if r.purpose else "")] for r in t.routes]))
    out.append("## Purposes\n")
    out.append("Named where an operation asks for one, and kept in the ledger.\n")
    out.append(table(["Purpose", "Vaults", "Words"], [[code(p.code), ", ".join(p.vaults), p.words] for p in t.purposes]))
    out.append("## What the ledgers hold\n")
    out.append(table(["Number", "Event", "What happened"], [[e.number, code(e.code), e.words] for e in t.ledger_events]))
    return "\n".join(out)


def settings(t):
    out = [NOTE, "# Settings\n",
           "A node's settings stand in `fairway.conf` in its folder: a section `[name]`, and after it lines `key = value`. "
           "A line that begins with `#` or `;` is a comment. A path that does not begin with `/` is taken from the folder "
           "of the file. An unknown setting, one given twice and one beyond its limits keep the node from starting; the "
           "message names the line and the cure. The manual page is fairway.conf(5).\n"]
    for s in t.sections:
        out.append(f"## [{s.name}]: {s.words[0].lower() + s.words[1:]}\n")
        rows = []
        for r in t.settings:
            if r.section == s.name:
                kind = {"string": f"text, {r.min} to {r.max} bytes", "path": "path", "int": f"{r.min} to {r.max}",
                        "bool": "yes, no", "enum": ", ".join(r.choices or [])}[r.type]
                standard = "must be given" if r.standard is None else code(r.standard) if r.standard else "empty"
                rows.append([code(r.key), kind, standard, r.words])
        out.append(table(["Key", "Values", "If absent", "What it does"], rows))
    return "\n".join(out)


def metrics(t):
    out = [NOTE, "# Metrics\n",
           "`GET /metrics` gives these in the text form of Prometheus; the setting `http.metrics` says to whom. "
           "No label holds a name, an id or anything else of a person.\n"]
    out.append(table(["Metric", "Kind", "Labels", "What it tells"],
                     [[code(m.name), m.type, ", ".join(m.labels), m.words
                       + (f" (buckets up to {', '.join(f'{b:g}' for b in m.bounds)})" if m.bounds else "")]
                      for m in t.metrics]))
    return "\n".join(out)


def messages(t):
    def names(processes):
        vaults = ["strategic", "operational", "protection"]
        if all(v in processes for v in vaults):
            processes = [p for p in processes if p not in vaults] + ["vaults"]
        return ", ".join(processes)
    return table(["Message", "From", "To", "Bytes", "What it says"],
                 [[code(m.name), names(m.sender), names(m.receiver), f"{m.min:,}" if m.min == m.max else f"{m.min:,} to {m.max:,}",
                   m.words + ("; with a descriptor" if m.descriptor and "descriptor" not in m.words else "")] for m in t.messages])


def within(name, made):
    """The page as it stands, what is between its two marks made anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise tables.Fault(f"{name}: the lines that frame what is made are not there once each")
    return text[:text.index(BEGIN)] + BEGIN + "\n" + made + "\n" + text[text.index(END):]


def documents(t):
    record = docs_record.Record(ROOT, t)
    return {"docs/access.md": access(t), "docs/settings.md": settings(t), "docs/metrics.md": metrics(t),
            "docs/processes.md": within("docs/processes.md", messages(t)),
            "docs/incident-record.md": within("docs/incident-record.md", docs_record.record_tables(record, table)),
            "docs/codebooks.md": within("docs/codebooks.md", docs_record.codebook_tables(record, table))}


def main(argv):
    if argv not in ([], ["--check"]):
        print("mkdocs.py [--check]", file=sys.stderr)
        return 2
    stale = 0
    for name, text in documents(tables.load(ROOT / "src" / "tbl")).items():
        path = ROOT / name
        if argv and (not path.exists() or path.read_text(encoding="utf-8") != text):
            print(f"{name} differs from its tables; run tools/mkdocs.py and commit what it wrote")
            stale += 1
        elif not argv:
            path.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
