#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Verify a copy of a vault's ledger without the program that wrote it.

    audit_ledger.py STORE.db --vkey KEY [--against FILE ...]

STORE.db   a vault's SQLite store (or its copy out of an opened backup)
--vkey     the public key of its checkpoints, as `fairway ledger key`
           or the page of the ledger shows it: ORIGIN+ID+BASE64
--against  files of checkpoints kept elsewhere (the auditor's file)

Written from docs/ledger.md alone, with the standard library alone, so that an
auditor can read all of it in one sitting.  Ends with status 0 if everything
verifies, 11 if not.
"""
import argparse
import base64
import hashlib
import pathlib
import sqlite3
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- Ed25519 verification (RFC 8032 section 5.1.7) ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * I % P
    if (x * x - x2) % P != 0 or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, p):
    q = (0, 1, 1, 0)
    while k:
        if k & 1:
            q = add(q, p)
        p = add(p, p)
        k >>= 1
    return q


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_verify(public, message, signature):
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- checkpoints (signed notes) ----

class Key:
    def __init__(self, text):
        self.origin, key_id, encoded = text.split("+", 2)
        self.id = bytes.fromhex(key_id)
        raw = base64.b64decode(encoded, validate=True)
        if len(raw) != 33 or raw[0] != 1:
            raise ValueError("the key is no Ed25519 key of signed notes")
        self.public = raw[1:]
        if sha256(self.origin.encode() + b"\n\x01" + self.public)[:4] != self.id:
            raise ValueError("the key does not fit its identifier")

    def open(self, note):
        """(size, root) of a note of this origin that carries this key's signature, else None."""
        text, mark, signatures = note.rpartition("\n\n")
        lines = text.split("\n")
        if not mark or len(lines) < 3 or lines[0] != self.origin:
            return None
        for line in signatures.splitlines():
            words = line.split(" ")
            if len(words) != 3 or words[0] != "\u2014" or words[1] != self.origin:
                continue
            raw = base64.b64decode(words[2])
            if raw[:4] == self.id and ed25519_verify(self.public, (text + "\n").encode(), raw[4:]):
                return int(lines[1]), base64.b64decode(lines[2])
        return None


def notes(text):
    """The notes of a file of many: lines up to an empty one, then lines that begin with a dash."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        start = at
        while at < len(lines) and lines[at]:
            at += 1
        at += 1
        while at < len(lines) and lines[at].startswith("\u2014 "):
            at += 1
        yield "\n".join(lines[start:at]) + "\n"


# ---- the tree (RFC 6962 section 2.1) ----

class Tree:
    """Roots as it grows: the perfect subtrees, largest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def push(self, leaf):
        size = self.size
        while size & 1:
            leaf = sha256(b"\x01" + self.peaks.pop() + leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root)
        return root


# ---- the ledger ----

def leaf_of(entry_id, writer, counter, prev, inner):
    return sha256(b"\x00" + entry_id + writer + counter.to_bytes(8, "little") + prev + inner)


class Audit:
    def __init__(self, db, key):
        self.db, self.key = db, key
        self.found, self.entries, self.erased, self.unpositioned, self.checked = [], 0, 0, 0, 0

    def say(self, words):
        self.found.append(words)

    def inner(self, body, kept):
        if body is None:
            self.erased += 1
            return kept or b""
        return sha256(body)

    def walk(self, writer, first, n):
        """(position within the run, leaf in the row, leaf computed) of a run."""
        prev = bytes(32)
        if first > 1:
            row = self.db.execute("SELECT leaf FROM ledger_entry WHERE writer = ? AND counter = ?", (writer, first - 1)).fetchone()
            prev = row[0] if row else prev
        rows = self.db.execute("SELECT counter, id, leaf, body, inner_hash FROM ledger_entry WHERE writer = ? AND counter >= ? "
                               "AND counter < ? ORDER BY counter", (writer, first, first + n))
        for counter, entry_id, leaf, body, kept in rows:
            yield counter - first, leaf, leaf_of(entry_id, writer, counter, prev, self.inner(body, kept))
            prev = leaf

    def run(self, against):
        heads = {}
        for size, note in self.db.execute("SELECT size, note FROM ledger_checkpoint ORDER BY size"):
            head = self.key.open(note)
            if head is None or head[0] != size:
                self.say(f"the stored checkpoint of size {size} does not carry the key's signature")
            else:
                heads.setdefault(size, []).append((head[1], "a stored checkpoint"))
        for text in against:
            for note in notes(text):
                head = self.key.open(note)
                if head:
                    heads.setdefault(head[0], []).append((head[1], "a checkpoint kept elsewhere"))
        tree, agreed = Tree(), 0
        for position, writer, first, n in self.db.execute("SELECT position, writer, counter, n FROM ledger_run ORDER BY position"):
            if position != tree.size:
                self.say(f"positions {tree.size} to {position - 1} are missing")
                break
            got = 0
            for offset, leaf, computed in self.walk(writer, first, n):
                if offset != got:
                    break
                if leaf != computed:
                    self.say(f"the entry at position {position + offset} was changed")
                tree.push(leaf)
                got += 1
                self.entries += 1
                for root, where in heads.pop(tree.size, []):
                    self.checked += 1
                    if root == tree.root():
                        agreed = tree.size
                    else:
                        self.say(f"{where} of {tree.size} entries has another root: something between positions {agreed} "
                                 f"and {tree.size - 1} was rewritten")
            if got != n:
                self.say(f"the entry at position {position + got} is missing")
                break
        for size in sorted(heads):
            if size > 0:
                self.say(f"{heads[size][0][1]} attests {size} entries, and there are {tree.size}")
        for writer, sequenced in self.db.execute("SELECT writer, sequenced FROM ledger_writer").fetchall():
            for _, leaf, computed in self.walk(writer, sequenced + 1, 2**62):
                self.unpositioned += 1
                if leaf != computed:
                    self.say("an entry that has no position yet was changed")
        rows = self.db.execute("SELECT count(*) FROM ledger_entry").fetchone()[0]
        if not self.found and rows != self.entries + self.unpositioned:
            self.say(f"there are {rows} rows, and {self.entries + self.unpositioned} have a place")
        return not self.found


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--vkey", required=True)
    parser.add_argument("--against", action="append", default=[])
    opt = parser.parse_args(argv)
    db = sqlite3.connect(f"file:{opt.store}?mode=ro", uri=True)
    audit = Audit(db, Key(opt.vkey))
    good = audit.run([pathlib.Path(p).read_text(encoding="utf-8") for p in opt.against])
    print(f"{audit.entries} entries, {audit.unpositioned} without position, {audit.erased} erased, {audit.checked} checkpoints")
    for words in audit.found[:20]:
        print(words)
    print("Everything verifies." if good else "IT DOES NOT VERIFY.")
    return 0 if good else 11


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
