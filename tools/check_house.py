#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The checks that keep the house.

    check_house.py [ROOT]        every check; prints TAP; exit status 1 if one fails
    check_house.py --lengths     the longest files and functions, for a reader

  layers     an include points down the list of layers, never up, and a domain
             never into another domain
  sql        SQL stands in .sql files and nowhere else
  banned     functions that have no safe use here
  spdx       every source file names its licence
  fuzzed     every parser of outside bytes (PARSERS below) is named by a fuzz target
             in a line "Parses: PATH", and every target has a corpus
  lengths    no C file above 800 lines
  addresses  no lock file names a registry
"""
import pathlib
import re
import sys

LAYERS = ["base", "text", "codec", "engine", "tbl", "store", "http", "node", "domain", "cmd"]
# Rooms of one layer that may not look into each other.
APART = ["domain"]

BANNED = ("strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok strtok_r atoi atol atoll atof localtime "
          "gmtime ctime asctime mktemp tmpnam tempnam alloca system popen scanf sscanf fscanf rand srand "
          "random malloc calloc realloc free setjmp longjmp").split()
# The one place where each of these lives.
ALLOWED = {
    "src/base/arena.c": {"malloc", "realloc", "free"},
}
# Files that read bytes from outside. A folder stands for its .c files.
PARSERS = [
    "src/base/cursor.c", "src/base/time.c", "src/base/uuid.c", "src/codec/json_in.c", "src/codec/csv.c",
    "src/codec/gz.c", "src/text/charset.c", "src/tbl/shape.c", "src/tbl/settings.c", "src/http/lint.c",
    "src/http/target.c", "src/http/assets.c", "src/node/process/front_route.c", "src/node/process/front_session.c",
    "src/node/process/chan.c", "src/node/process/wire.c", "src/node/keys/custodian.c", "src/node/keys/stream.c",
    "src/node/ledger/checkpoint.c", "src/node/ledger/entry.c", "src/node/ledger/signer.c", "src/node/keys/node_keys.c",
    "src/node/backup/archive.c", "src/node/backup/erasures.c", "src/node/access/house_wire.c", "src/node/outbox/wire_outbox.c",
    "src/node/outbox/referral.c",
    "src/domain/report/layout_mmp.c", "src/domain/report/layout_jsonl.c",
    "src/domain/report/report_record.c", "src/domain/report/report_slice.c",
    "src/engine/rules/lines.c", "src/engine/rules/condition.c", "src/engine/rules/stanza.c", "src/engine/rules/field.c", "src/engine/rules/rule.c", "src/engine/rules/value.c",
]
SQL = re.compile(r'"\s*(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|UNIQUE)|'
                 r'ALTER\s+TABLE|DROP\s+TABLE)\b', re.I)


def strip_c(text, keep_strings=False):
    """C without comments (and without the insides of strings), line numbers kept."""
    def blank(m):
        s = m.group(0)
        if s[0] == "/":
            return re.sub(r"[^\n]", " ", s)
        return s if keep_strings else s[0] + re.sub(r"[^\n]", " ", s[1:-1]) + s[-1]
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


class House:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(p for p in (self.root / "src").rglob("*.[ch]"))

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def read(self, path):
        return path.read_text(encoding="utf-8")

    def layers(self):
        for path in self.files:
            parts = path.relative_to(self.root / "src").parts
            if len(parts) < 2:
                continue
            for number, line in enumerate(strip_c(self.read(path), True).splitlines(), 1):
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not m or m.group(1).startswith("gen/"):
                    continue
                to = m.group(1).split("/")
                if to[0] == "fairway":  # include/fairway/NAME.h is the face of an engine
                    to[0] = "engine"
                if to[0] not in LAYERS or len(to) < 2:
                    yield f"{self.name(path)}:{number}: include {m.group(1)} names no layer; write the path from src/"
                elif LAYERS.index(to[0]) > LAYERS.index(parts[0]):
                    yield f"{self.name(path)}:{number}: {parts[0]} must not look up into {to[0]}"
                elif to[0] in APART and parts[0] == to[0] and len(to) > 2 and to[1] != parts[1]:
                    yield f"{self.name(path)}:{number}: {parts[1]} must not look into {to[1]}"

    def sql(self):
        places = self.files + sorted((self.root / "bench").rglob("*.c")) if (self.root / "bench").is_dir() else self.files
        for path in places:
            if self.name(path).startswith("src/store/store_") or self.name(path).startswith("bench/"):
                continue  # the engines' own PRAGMA and SET; a benchmark's peer
            for number, line in enumerate(strip_c(self.read(path), True).splitlines(), 1):
                if SQL.search(line):
                    yield f"{self.name(path)}:{number}: SQL outside a .sql file"

    def banned(self):
        call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
        for path in self.files:
            allowed = ALLOWED.get(self.name(path), set())
            for number, line in enumerate(strip_c(self.read(path)).splitlines(), 1):
                for m in call.finditer(line):
                    if m.group(1) not in allowed:
                        yield f"{self.name(path)}:{number}: {m.group(1)} is banned"

    def spdx(self):
        for folder, kinds in (("src", ".c .h .sql"), ("tests", ".c .h .py"), ("fuzz", ".c"), ("bench", ".c .py"),
                              ("tools", ".py .c"), ("include", ".h"), ("web/src", ".ts .tsx .css")):
            base = self.root / folder
            for path in sorted(base.rglob("*")) if base.is_dir() else []:
                if path.suffix not in kinds.split() or "gen" in path.parts or "node_modules" in path.parts:
                    continue
                if "SPDX-License-Identifier: AGPL-3.0-or-later" not in self.read(path)[:300]:
                    yield f"{self.name(path)}: no SPDX line at its head"

    def fuzzed(self):
        named = set()
        for path in sorted((self.root / "fuzz").rglob("*.c")):
            text = self.read(path)
            found = re.findall(r"Parses:\s*(.+?)(?:\*/|$)", text, re.M)
            if not found:
                yield f"{self.name(path)}: no line \"Parses: PATH ...\" in its head"
            for paths in found:
                named.update(paths.replace(",", " ").split())
            target = path.stem.removeprefix("fuzz_")
            corpus = self.root / "fuzz" / "corpus" / target
            if not corpus.is_dir() or not any(corpus.iterdir()):
                yield f"{self.name(path)}: no corpus in fuzz/corpus/{target}"
        for name in named:
            if not (self.root / name).exists():
                yield f"fuzz: a target parses {name}, which is not there"
        for name in PARSERS:
            if (self.root / name).exists() and name not in named:
                yield f"{name}: a parser of outside bytes without a fuzz target"

    def lengths(self):
        for path in self.files:
            n = self.read(path).count("\n")
            if n > 800:
                yield f"{self.name(path)}: {n} lines; two rooms?"

    def addresses(self):
        for path in sorted(self.root.glob("**/package-lock.json")):
            if "node_modules" not in path.parts and '"resolved"' in self.read(path):
                yield f"{self.name(path)}: names where its packages came from; omit-lockfile-registry-resolved=true"

    def functions(self):
        """(lines, name, file) of every function body, by the house's brace style."""
        for path in self.files:
            lines = strip_c(self.read(path)).splitlines()
            start = name = None
            for number, line in enumerate(lines):
                if line == "{":
                    start = number
                    head = " ".join(lines[max(0, number - 3):number])
                    m = re.findall(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$", head)
                    name = m[-1] if m else "?"
                elif line.startswith("}") and start is not None:
                    yield number - start - 1, name, self.name(path)
                    start = None


CHECKS = ["layers", "sql", "banned", "spdx", "fuzzed", "lengths", "addresses"]


def report_lengths(house):
    rows = sorted(house.functions(), reverse=True)
    sizes = sorted(r[0] for r in rows)
    files = sorted((house.read(p).count("\n"), house.name(p)) for p in house.files)

    def at(values, q):
        return values[min(len(values) - 1, int(len(values) * q))]
    print(f"{len(files)} files: median {at([f[0] for f in files], .5)}, p90 {at([f[0] for f in files], .9)} lines")
    print(f"{len(rows)} functions: median {at(sizes, .5)}, p90 {at(sizes, .9)}, p99 {at(sizes, .99)} lines")
    for n, name in reversed(files[-10:]):
        print(f"  {n:5} {name}")
    for n, name, path in rows[:15]:
        print(f"  {n:5} {path}: {name}")


def main(argv):
    root = pathlib.Path(__file__).resolve().parents[1]
    if "--lengths" in argv:
        report_lengths(House(root))
        return 0
    house = House(argv[0] if argv else root)
    failed = 0
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        faults = list(getattr(house, check)())
        for fault in faults[:40]:
            print("# " + fault)
        print(f"{'not ok' if faults else 'ok'} {number} - {check}")
        failed += bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
