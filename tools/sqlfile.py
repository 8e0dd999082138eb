# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads the .sql files of src/: named statements and migrations.  docs/sql.md describes the form.

A file is a list of blocks.  A block begins with `-- name:` or `-- migration:`,
goes on with further `-- key: value` lines, and ends where the next begins.
Its text is cut into tokens; a token carries its line, whether white space
stood before it, and the engine it is for (None for both).
"""
import hashlib
import re
from collections import namedtuple

ENGINES = ("sqlite", "pg")
TYPES = ("INT", "REAL", "TEXT", "BYTES", "UUID")
ROLES = {"strategic": 0, "operational": 1, "protection": 2, "house": 3, "init": 5, "test": 6}
VAULTS = {"strategic": 0, "operational": 1, "protection": 2, "house": 3, "test": 4}
GROUPS = {
    "roles": {"vaults": ("strategic", "operational", "protection", "house"), "any": tuple(ROLES)},
    "vaults": {"any": tuple(VAULTS)},
}
KEYS = {"name": ("roles", "args", "rows"), "migration": ("vaults", "shared")}
TYPE_WORDS = {
    "sqlite": {"INT": "INT", "REAL": "REAL", "TEXT": "TEXT", "BYTES": "BLOB", "UUID": "BLOB"},
    "pg": {"INT": "bigint", "REAL": "double precision", "TEXT": "text", "BYTES": "bytea", "UUID": "uuid"},
}
MAX_TEXT = 60000  # bytes of one statement or migration

Token = namedtuple("Token", "kind text line space engine")
TOKEN = re.compile(r"""
    (?P<space>\s+) | (?P<comment>--[^\n]*) | (?P<str>'(?:[^'\n]|'')*')
  | (?P<num>\d+(?:\.\d+)?) | (?P<word>[A-Za-z_][A-Za-z0-9_]*) | (?P<param>\$\d+)
  | (?P<op>\|\||<=|>=|<>|::|->>|->|[(),;.*+\-/%<>=&|~!\[\]{}:?@#^"`$])
""", re.X)


class SqlError(Exception):
    """Something wrong in a .sql file; says where."""

    def __init__(self, path, line, words):
        super().__init__(f"{path}:{line}: {words}")


class Block:
    """One named statement or one migration."""

    def __init__(self, path, line, kind, value):
        self.path, self.line, self.kind, self.value = path, line, kind, value
        self.head = {}     # key -> (line, value)
        self.tokens = []

    def fail(self, words, line=None):
        raise SqlError(self.path, line or self.line, words)

    def words(self, key, known):
        """The bits of a head line that lists roles or vaults."""
        if key not in self.head:
            self.fail(f"{self.kind} {self.value} has no line \"-- {key}:\"")
        line, value = self.head[key]
        names = set()
        for word in value.split():
            group = GROUPS[key].get(word, (word,))
            if any(name not in known for name in group):
                self.fail(f"{word} is no word of {key}; known: {' '.join(known)} {' '.join(GROUPS[key])}", line)
            names.update(group)
        if not names:
            self.fail(f"the line \"-- {key}:\" is empty", line)
        return sum(1 << known[name] for name in names)

    def args(self):
        """[(name, TYPE)] in order."""
        line, value = self.head.get("args", (self.line, ""))
        found = []
        for word in value.split():
            m = re.fullmatch(r"([a-z][a-z0-9_]*):(int|real|text|bytes|uuid)", word)
            if not m:
                self.fail(f"{word} is no argument; write name:type with type int, real, text, bytes or uuid", line)
            found.append((m.group(1), m.group(2).upper()))
        return found

    def many(self):
        """Whether it says that its rows may be more than memory holds."""
        line, value = self.head.get("rows", (self.line, ""))
        if value not in ("", "many"):
            self.fail(f"{value} is no word of rows; write \"-- rows: many\" or nothing", line)
        return value == "many"

    def of(self, engine):
        return [t for t in self.tokens if t.engine in (None, engine)]

    def render(self, engine):
        """The text for one engine, on one line."""
        out, text = render_tokens(self.of(engine), engine), ""
        for t in out:
            text += (" " if t.space and text else "") + t.text
        return text

    def checksum(self):
        """SHA-256 of what the author wrote, without comments and layout."""
        text = " ".join(f"{t.text}@{t.engine}" if t.engine else t.text for t in self.tokens)
        return hashlib.sha256(text.encode()).digest()


def split_statements(tokens):
    """Lists of tokens between semicolons."""
    part = []
    for t in tokens:
        if t.text == ";":
            if part:
                yield part
            part = []
        else:
            part.append(t)
    if part:
        yield part


def spell_out(tokens):
    """In a table's checks, `x IN ('a', 'b', 'c')` as `(x = 'a' OR x = 'b' OR x = 'c')`.

    The same to the letter, NULL included; but of a list of three and more SQLite makes a
    table in memory each time a row is written, and that was half the cost of importing.
    Only where x is all that stands before IN: behind a parenthesis or an OR.
    """
    out, i = [], 0
    while i < len(tokens):
        negated = [t.text.upper() for t in tokens[i + 1:i + 3]] == ["NOT", "IN"]
        at = i + 2 + negated  # of the parenthesis
        alone = i > 0 and tokens[i - 1].text.upper() in ("(", "OR")
        listed = alone and tokens[i].kind == "word" and [t.text.upper() for t in tokens[at - 1:at + 1]] == ["IN", "("]
        end = at + 1
        while listed and end < len(tokens) and tokens[end].text != ")":
            end += 1
        values = tokens[at + 1:end:2]
        if not listed or len(values) < 3 or any(v.kind not in ("str", "num") for v in values):
            out.append(tokens[i])
            i += 1
            continue
        word = lambda text: Token("word", text, tokens[i].line, True, None)  # noqa: E731
        out.append(Token("op", "(", tokens[i].line, tokens[i].space, None))
        for n, v in enumerate(values):
            out += [word("AND" if negated else "OR")] if n else []
            out += [tokens[i]._replace(space=n > 0), word("<>" if negated else "="), v._replace(space=True)]
        out.append(Token("op", ")", tokens[i].line, False, None))
        i = end + 1
    return out


def render_tokens(tokens, engine):
    out = []
    for part in split_statements(tokens):
        creates = [t.text.upper() for t in part[:2]] == ["CREATE", "TABLE"]
        rest = list(part)
        if creates and [t.text.upper() for t in part[-2:]] == ["WITHOUT", "ROWID"]:
            rest = rest[:-2] + ([Token("word", "STRICT, WITHOUT ROWID", 0, True, None)] if engine == "sqlite" else [])
        elif creates and engine == "sqlite":
            rest.append(Token("word", "STRICT", 0, True, None))
        if creates and engine == "sqlite":
            rest = spell_out(rest)
        columns = part[0].text.upper() in ("CREATE", "ALTER")
        for i, t in enumerate(rest):
            text = t.text
            if t.kind == "word" and text in TYPES:
                text = TYPE_WORDS[engine][text]
                if engine == "pg" and columns and t.text == "TEXT" and rest[i - 1].text.upper() != "AS":
                    text += ' COLLATE "C"'  # the same order of text on both engines
            elif t.kind == "param" and engine == "sqlite":
                text = "?" + text[1:]
            out.append(t._replace(text=text))
        out.append(Token("op", ";", 0, False, None))
    return out[:-1]


def tokenize(path, lines):
    """Tokens of [(number, text)]; a line that ends in `-- sqlite` or `-- pg` is for that engine."""
    tokens = []
    for number, line in lines:
        found, engine, pos, space = [], None, 0, True
        while pos < len(line):
            m = TOKEN.match(line, pos)
            if not m:
                raise SqlError(path, number, f"cannot read {line[pos:pos + 20]!r}; a string ends on its own line")
            pos = m.end()
            if m.lastgroup == "comment":
                note = m.group()[2:].strip()
                engine = note if note in ENGINES else None
            elif m.lastgroup != "space":
                found.append(Token(m.lastgroup, m.group(), number, space, None))
            space = m.lastgroup == "space"
        tokens += [t._replace(engine=engine) for t in found]
    return tokens


def read_blocks(path, text):
    """All blocks of one file, in order."""
    blocks, body, in_head = [], [], False
    bodies = []
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r"--\s*(name|migration):\s*(.*?)\s*$", line)
        if m:
            blocks.append(Block(path, number, m.group(1), m.group(2)))
            body, in_head = [], True
            bodies.append(body)
            continue
        m = re.match(r"--\s*([a-z]+):\s*(.*?)\s*$", line) if in_head else None
        if m:
            block = blocks[-1]
            if m.group(1) not in KEYS[block.kind]:
                block.fail(f"-- {m.group(1)}: is no line of a {block.kind}; known: {' '.join(KEYS[block.kind])}", number)
            if m.group(1) in block.head:
                block.fail(f"-- {m.group(1)}: stands here twice", number)
            block.head[m.group(1)] = (number, m.group(2))
            continue
        if line.strip() and not line.lstrip().startswith("--"):
            in_head = False
            if not blocks:
                raise SqlError(path, number, "SQL before the first \"-- name:\" or \"-- migration:\"")
            body.append((number, line))
    for block, body in zip(blocks, bodies):
        block.tokens = tokenize(path, body)
        finish(block)
    return blocks


def finish(block):
    if not block.tokens:
        block.fail(f"{block.kind} {block.value} has no SQL")
    for engine in ENGINES:
        parts = block.of(engine)
        if not parts:
            block.fail(f"no SQL for {engine}")
        if parts[-1].text != ";":
            block.fail("the SQL does not end in a semicolon", parts[-1].line)
        if len(block.render(engine)) > MAX_TEXT:
            block.fail(f"longer than {MAX_TEXT} bytes")
        if block.kind == "name" and len(list(split_statements(parts))) != 1:
            block.fail("a named statement is one statement")
