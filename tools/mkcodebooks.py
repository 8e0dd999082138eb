#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns data/codebooks/*.txt into tables of C.  docs/codebooks.md describes their form.

    mkcodebooks.py FOLDER codebooks.h codebooks.c
    mkcodebooks.py FOLDER --check

A fault names file and line and says what was expected.
"""
import pathlib
import re
import sys

LANGS = ["en", "ar", "th"]
FLAGS = ["minor", "protected"]
CODE_MAX, LABEL_MAX, NOTE_MAX, VALUES_MAX = 60, 200, 1000, 2000
LICENCE = "/* SPDX-License-Identifier: AGPL-3.0-or-later */\n/* Made by tools/mkcodebooks.py from data/codebooks. */\n"


class Fault(Exception):
    pass


class Value:
    def __init__(self, at, code):
        self.at, self.code = at, code
        self.labels, self.note, self.parent = {}, "", ""
        self.aliases, self.maps, self.flags = [], [], []


class Book:
    def __init__(self, at, name):
        self.at, self.name = at, name
        self.version = self.words = self.source = ""
        self.values = []


def fold(text):
    """As codebook_fold() in C: ASCII in small letters, blanks joined, the typographic apostrophe made plain."""
    text = text.replace("\u2019", "'")
    return " ".join(re.split(r"[ \t\r\n]+", text.strip(" \t\r\n"))).translate(
        {c: c + 32 for c in range(ord("A"), ord("Z") + 1)})


def fnv(text):
    h = 2166136261
    for b in text.encode():
        h = (h ^ b) * 16777619 & 0xffffffff
    return h


def limit(at, what, text, most):
    if not 1 <= len(text.encode()) <= most:
        raise Fault(f"{at}: {what} must have 1 to {most} bytes")
    return text


def set_once(at, thing, key, text):
    if getattr(thing, key):
        raise Fault(f"{at}: {key} stands here twice")
    setattr(thing, key, text)


def read_value_line(at, value, key, text):
    if key in LANGS:
        if key in value.labels:
            raise Fault(f"{at}: {key} stands here twice")
        value.labels[key] = limit(at, "a label", text, LABEL_MAX)
    elif key in ("note", "parent"):
        set_once(at, value, key, limit(at, key, text, NOTE_MAX if key == "note" else CODE_MAX))
    elif key == "alias":
        value.aliases.append(limit(at, "an alias", text, LABEL_MAX))
    elif key == "map" and re.fullmatch(r"[a-z0-9]+ \S.*", text):
        value.maps.append(tuple(text.split(" ", 1)))
    elif key == "flag" and text in FLAGS:
        value.flags.append(text)
    else:
        raise Fault(f"{at}: expected one of {' '.join(LANGS)} note parent alias \"map SCHEME VALUE\" \"flag {'|'.join(FLAGS)}\"")


def read(folder):
    books = []
    for path in sorted(pathlib.Path(folder).glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            at = f"{path.name}:{number}"
            if not line.strip() or line.startswith("#"):
                continue
            key, _, text = line.strip().partition(" ")
            if line.startswith("  "):
                if not books or not books[-1].values:
                    raise Fault(f"{at}: a line with blanks before it belongs to a value")
                read_value_line(at, books[-1].values[-1], key, text)
            elif key == "codebook" and re.fullmatch(r"[a-z][a-z_]*", text):
                books.append(Book(at, text))
            elif key == "value" and books and re.fullmatch(r"[A-Za-z0-9_]+", text):
                books[-1].values.append(Value(at, limit(at, "a code", text, CODE_MAX)))
            elif key in ("version", "words", "source") and books and not books[-1].values:
                set_once(at, books[-1], key, text)
            else:
                raise Fault(f"{at}: expected codebook NAME, version, words, source or value CODE")
    for book in books:
        check(book)
    names = [b.name for b in books]
    for book in books:
        if names.count(book.name) > 1:
            raise Fault(f"{book.at}: codebook {book.name} stands twice")
    return sorted(books, key=lambda b: b.name)


def check(book):
    if not (book.version and book.words and book.source):
        raise Fault(f"{book.at}: codebook {book.name} needs version, words and source")
    if not 1 <= len(book.values) <= VALUES_MAX:
        raise Fault(f"{book.at}: codebook {book.name} has no values, or too many")
    codes, names = {}, {}
    for v in book.values:
        if v.code in codes:
            raise Fault(f"{v.at}: {v.code} stands twice in {book.name}")
        codes[v.code] = v
        if "en" not in v.labels:
            raise Fault(f"{v.at}: {v.code} has no English label")
        for name in {fold(n) for n in [v.labels["en"]] + v.aliases}:
            if name in names:
                raise Fault(f"{v.at}: \"{name}\" already names {names[name]} in {book.name}")
            names[name] = v.code


def quoted(text):
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def slots(entries):
    """An open table of (text, value index): size, list of entry number + 1."""
    size = 2
    while size < 2 * len(entries):
        size *= 2
    table = [0] * size
    for i, (text, _) in enumerate(entries):
        at = fnv(text) % size
        while table[at]:
            at = (at + 1) % size
        table[at] = i + 1
    return table


def header(books):
    out = [LICENCE, "#ifndef FW_GEN_CODEBOOKS_H\n#define FW_GEN_CODEBOOKS_H\n\nenum codebook_id {\n"]
    out += [f"\tCB_{b.name.upper()},\n" for b in books]
    out.append("\tCB_COUNT,\n};\n")
    for b in books:
        out.append(f"\n/* {b.words}. */\nenum {{\n")
        out += [f"\tCV_{b.name.upper()}_{v.code.upper()},\n" for v in b.values]
        out.append("};\n")
    return "".join(out) + "\n#endif\n"


def source(books):
    out = [LICENCE, '#include "tbl/codebook/codebook.h"\n\n#include <stddef.h>\n']
    rows = []
    for b in books:
        out.append(f"\nstatic const struct codebook_value values_{b.name}[] = {{\n")
        for v in b.values:
            labels = ", ".join(quoted(v.labels.get(lang)) for lang in LANGS)
            maps = "".join(f"{s}={t}\n" for s, t in v.maps)
            flags = " | ".join(f"CODEBOOK_{f.upper()}" for f in v.flags) or "0"
            out.append(f"\t{{ {quoted(v.code)}, {len(v.code.encode())}, {flags}, {{ {labels} }}, {quoted(v.parent)},\n"
                       f"\t  {quoted(v.note)}, {quoted(maps).replace(chr(10), chr(92) + 'n')} }},\n")
        out.append("};\n")
        names, seen = [], set()
        for i, v in enumerate(b.values):
            for name in [fold(n) for n in [v.labels["en"]] + v.aliases]:
                if name not in seen:
                    seen.add(name)
                    names.append((name, i))
        codes = [(v.code, i) for i, v in enumerate(b.values)]
        out.append(f"static const struct codebook_name names_{b.name}[] = {{\n")
        out += [f"\t{{ {quoted(n)}, {len(n.encode())}, {i} }},\n" for n, i in names]
        out.append("};\n")
        for what, entries in (("codes", codes), ("folded", names)):
            table = slots(entries)
            out.append(f"static const uint16_t {what}_{b.name}[{len(table)}] = {{ {', '.join(map(str, table))} }};\n")
            rows.append(len(table))
    out.append("\nconst struct codebook codebooks[] = {\n")
    for i, b in enumerate(books):
        out.append(f"\t{{ {quoted(b.name)}, {quoted(b.version)}, {quoted(b.words)}, {quoted(b.source)},\n"
                   f"\t  values_{b.name}, {len(b.values)}, names_{b.name}, codes_{b.name}, {rows[2 * i]}, "
                   f"folded_{b.name}, {rows[2 * i + 1]} }},\n")
    return "".join(out) + "};\n"


def main():
    try:
        books = read(sys.argv[1])
    except Fault as f:
        sys.exit(f"mkcodebooks.py: {f}")
    if sys.argv[2] != "--check":
        pathlib.Path(sys.argv[2]).write_text(header(books), encoding="utf-8")
        pathlib.Path(sys.argv[3]).write_text(source(books), encoding="utf-8")


if __name__ == "__main__":
    main()
