#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The documents hold together.

  - Every relative link in docs/, README.md and CONTRIBUTING.md leads to a file that is there, and to a
    heading of it if it names one.
  - Every page of docs/ is reached by links from README.md or docs/architecture.md. A link to a folder reaches
    what lies in it.
  - Every page of docs/ that is named in backticks (`docs/x.md`), or by a source file, is there.
  - Every test program (`test_x`), fuzz target and setting (`section.key`) that a page names is there: whoever
    is told that a test shows something must find it.
  - Every row of a table has as many cells as its head.
  - Examples of numbers in the pages are right, as far as they can be computed here.
"""
import hashlib
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import audit_ledger  # noqa: E402
import tables  # noqa: E402

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`(docs/[A-Za-z0-9_./-]+\.md)`")
SOURCES = ["src", "tools", "packaging", "web/src", "web/build", "tests", "fuzz", "bench", "data"]
SOURCE_ENDS = {".c", ".h", ".def", ".tbl", ".sql", ".py", ".sh", ".txt", ".conf", ".ts", ".tsx", ".mjs", ".build", ""}


def without_code(text):
    """Fenced blocks and code spans say nothing about links."""
    text = re.sub(r"^[ \t]*```.*?^[ \t]*```", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text):
    """Fragments of a page's headings, as hosts of repositories make them."""
    heads = re.findall(r"^#+ (.+?)\s*$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


class Documents:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.pages = sorted((self.root / "docs").rglob("*.md"))
        self.sources = [p for p in (self.root / "README.md", self.root / "CONTRIBUTING.md") if p.exists()] + self.pages

    def name(self, path):
        return path.resolve().relative_to(self.root.resolve()).as_posix()

    def links(self, page):
        """(as written, file or folder, fragment) of the relative links of a page."""
        for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, fragment = target.partition("#")
            yield target, (page.parent / path if path else page), fragment

    def broken(self):
        found = []
        for page in self.sources:
            for target, path, fragment in self.links(page):
                if not path.exists():
                    found.append(f"{self.name(page)}: the link {target} leads nowhere")
                elif fragment and fragment not in anchors(path.read_text(encoding="utf-8")):
                    found.append(f"{self.name(page)}: {target} names a heading that is not there")
            for named in NAMED.findall(page.read_text(encoding="utf-8")):
                if not (self.root / named).exists():
                    found.append(f"{self.name(page)}: it names {named}, which is not there")
        return found

    def unreached(self):
        waiting, seen = [self.root / "README.md", self.root / "docs" / "architecture.md"], set()
        while waiting:
            page = waiting.pop().resolve()
            if page in seen or not page.exists():
                continue
            seen.add(page)
            if page.is_dir():
                waiting += page.glob("*.md")
            elif page.suffix == ".md":
                waiting += [path for _, path, _ in self.links(page)]
        return [f"{self.name(p)}: no chain of links from README.md or docs/architecture.md leads to it"
                for p in self.pages if p.resolve() not in seen]


    def named_by_sources(self):
        """Pages that source files name and that are not there. This file names invented ones."""
        found = []
        for folder in SOURCES:
            for path in sorted((self.root / folder).rglob("*")):
                if not path.is_file() or path.suffix not in SOURCE_ENDS or path.name == pathlib.Path(__file__).name:
                    continue
                for name in set(re.findall(r"\bdocs/[a-z0-9_/-]+\.md\b", path.read_text(encoding="utf-8", errors="replace"))):
                    if not (self.root / name).exists():
                        found.append(f"{self.name(path)}: it names {name}, which is not there")
        return found

    def ragged(self):
        """Rows of tables with another number of cells than their head."""
        found = []
        for page in self.sources:
            fenced, want = False, None
            for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
                fenced ^= line.lstrip().startswith("```")
                cells = len(re.split(r"(?<!\\)\|", line.strip())) - 2 if line.startswith("|") and not fenced else None
                if cells is not None and want is not None and cells != want:
                    found.append(f"{self.name(page)}:{number}: {cells} cells in a table of {want}")
                want = None if cells is None else cells if want is None else want
        return found

    def named(self, pattern):
        """(page, what) for every match of a pattern in the pages."""
        for page in self.sources:
            for what in set(re.findall(pattern, page.read_text(encoding="utf-8"))):
                yield self.name(page), what


class TheseDocuments(unittest.TestCase):
    def test_links_lead_somewhere(self):
        self.assertEqual(Documents(ROOT).broken(), [])

    def test_every_page_is_reached(self):
        self.assertEqual(Documents(ROOT).unreached(), [])

    def test_pages_that_sources_name_are_there(self):
        self.assertEqual(Documents(ROOT).named_by_sources(), [])

    def test_tables_are_whole(self):
        self.assertEqual(Documents(ROOT).ragged(), [])

    def test_tests_that_pages_name_are_there(self):
        programs = {p.stem.replace(".test", "") for p in (ROOT / "tests").rglob("test_*.*")}
        self.assertEqual([x for x in Documents(ROOT).named(r"`(test_[a-z0-9_]+)`") if x[1] not in programs], [])

    def test_fuzz_targets_that_pages_name_are_there(self):
        targets = {p.stem.removeprefix("fuzz_") for p in (ROOT / "fuzz").rglob("fuzz_*.c")}
        lists = Documents(ROOT).named(r"[Ff]uzz targets? ((?:`[a-z_]+`(?:, )?)+)")
        self.assertEqual([(page, name) for page, names in lists for name in re.findall(r"`(\w+)`", names) if name not in targets], [])

    def test_settings_that_pages_name_are_there(self):
        t = tables.load(ROOT / "src" / "tbl")
        have = {f"{s.section}.{s.key}" for s in t.settings}
        for path in (ROOT / "src").rglob("*.c"):  # events of the log, names of files and the like
            have |= set(re.findall(r"[\"/]([a-z]+\.[a-z_]+)\"", path.read_text(encoding="utf-8")))
        have |= {e.code for e in t.ledger_events} | {p.code for p in t.perms}
        sections = "|".join(s.name for s in t.sections)
        self.assertEqual([x for x in Documents(ROOT).named(rf"`((?:{sections})\.(?!c`|h`)[a-z_]+)`") if x[1] not in have], [])

    def test_the_example_of_the_ledger(self):
        page = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
        value = {k: bytes.fromhex(v) for k, v in re.findall(r"^(\w+(?: \d)?)\s+([0-9a-f]{32,})$", page, re.M)}
        self.assertEqual(hashlib.sha256(value["salt"] + value["content"]).digest(), value["inner"])
        tree, prev = audit_ledger.Tree(), bytes(32)
        for counter in (1, 2):
            prev = audit_ledger.leaf_of(value[f"id {counter}"], value["writer"], counter, prev, value["inner"])
            self.assertEqual(prev, value[f"leaf {counter}"])
            tree.push(prev)
        self.assertEqual(tree.root(), value["root"])

    def test_the_checkpoint_of_the_ledger(self):
        page = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
        note = re.search(r"^```\n(\S+\n9\n\S+\n\n\u2014 .*\n)```", page, re.M).group(1)
        key = audit_ledger.Key(re.search(r"^(\S+\+[0-9a-f]{8}\+\S+)$", page, re.M).group(1))
        self.assertEqual(key.open(note)[0], 9)
        self.assertIsNone(key.open(note.replace("\n9\n", "\n8\n")))


class TheCheckItself(unittest.TestCase):
    def made(self, **files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        (root / "docs" / "decisions").mkdir(parents=True)
        for name, text in {"README": "", "architecture": "", **files}.items():
            place = root if name.isupper() else root / "docs"
            (place / (name.replace("__", "/") + ".md")).write_text(text, encoding="utf-8")
        return Documents(root)

    def test_a_dead_link_is_found(self):
        docs = self.made(README="[a](docs/a.md) [b](docs/b.md#two-words) [c](https://example.org/x)", b="# Two words\n[x](c.md#y)\n",
                         c="# Z\n")
        self.assertEqual(docs.broken(), ["README.md: the link docs/a.md leads nowhere",
                                         "docs/b.md: c.md#y names a heading that is not there"])

    def test_a_page_named_in_words_must_be_there(self):
        self.assertEqual(self.made(CONTRIBUTING="See `docs/gone.md`.").broken(),
                         ["CONTRIBUTING.md: it names docs/gone.md, which is not there"])

    def test_code_is_no_link(self):
        self.assertEqual(self.made(README="`[a](b.md)`\n```\n[a](c.md)\n```\n").broken(), [])

    def test_a_ragged_table_is_found(self):
        docs = self.made(README="| a | b |\n|---|---|\n| 1 | x \\| y |\n| 1 |\n\n```\n| no table |\n| a | b |\n```\n")
        self.assertEqual(docs.ragged(), ["README.md:4: 1 cells in a table of 2"])

    def test_a_page_that_nothing_leads_to_is_found(self):
        docs = self.made(architecture="[a](a.md) [d](decisions/)", a="[b](b.md)", b="", lonely="[a](a.md)", decisions__0001="")
        self.assertEqual([w.split(":")[0] for w in docs.unreached()], ["docs/lonely.md"])


if __name__ == "__main__":
    unittest.main()
