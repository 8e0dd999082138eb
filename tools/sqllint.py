# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses SQL that one of the engines, or a distributed engine that speaks
PostgreSQL's protocol, would not run or would run otherwise.  docs/sql.md gives
the reasons rule by rule.  tools/mksql.py runs it over every block, so that
such SQL does not build; tests/checks/test_mksql.py feeds it bad SQL."""
import re

import sqlfile

# Words that may stand nowhere, with what to do instead.
WORDS = {
    "serial": "identifiers are UUIDv7 made by the application",
    "bigserial": "identifiers are UUIDv7 made by the application",
    "smallserial": "identifiers are UUIDv7 made by the application",
    "sequence": "identifiers are UUIDv7 made by the application",
    "autoincrement": "identifiers are UUIDv7 made by the application",
    "identity": "identifiers are UUIDv7 made by the application",
    "generated": "compute it in the program or in the statement",
    "rowid": "name a column; only WITHOUT ROWID at the end of CREATE TABLE is known",
    "ctid": "name a column",
    "trigger": "write both rows in the transaction",
    "listen": "poll, or send a message between processes",
    "notify": "poll, or send a message between processes",
    "lock": "transactions are serializable; run them again after a conflict",
    "share": "transactions are serializable; run them again after a conflict",
    "nowait": "transactions are serializable; run them again after a conflict",
    "inherits": "no inheritance between tables",
    "exclude": "no exclusion constraints; check in a serializable transaction",
    "deferrable": "no deferrable constraints; write in the right order",
    "deferred": "no deferrable constraints; write in the right order",
    "concurrently": "a migration is one transaction",
    "gist": "no such index", "gin": "no such index", "brin": "no such index", "spgist": "no such index",
    "xml": "no XML type; use TEXT", "json": "use TEXT and the program's JSON", "jsonb": "use TEXT and the program's JSON",
    "array": "use a child table", "oid": "no large objects; use BYTES",
    "temporary": "no temporary tables", "temp": "no temporary tables", "unlogged": "everything is durable",
    "hold": "a cursor ends with its transaction", "cursor": "page by key", "fetch": "use LIMIT",
    "extension": "no extensions", "function": "no stored code", "procedure": "no stored code", "language": "no stored code",
    "returning": "make values in the program and pass them in",
    "timestamp": "time is INT, UTC microseconds, passed in", "timestamptz": "time is INT, UTC microseconds, passed in",
    "date": "a date is TEXT or INT, passed in", "time": "time is INT, UTC microseconds, passed in",
    "interval": "compute in the program", "current_timestamp": "pass the time in", "current_date": "pass the date in",
    "current_time": "pass the time in", "localtimestamp": "pass the time in",
    "boolean": "use INT 0 and 1", "true": "use INT 0 and 1", "false": "use INT 0 and 1",
    "bigint": "write INT", "integer": "write INT", "smallint": "write INT", "blob": "write BYTES", "bytea": "write BYTES",
    "varchar": "write TEXT", "char": "write TEXT", "numeric": "write INT or REAL", "decimal": "write INT or REAL",
    "float": "write REAL", "double": "write REAL",
    "pragma": "the engine's own file has these", "attach": "one store, one file", "vacuum": "store_maintain does it",
    "glob": "use LIKE with ESCAPE", "regexp": "match in the program", "similar": "match in the program",
    "ilike": "fold the text in the program and use LIKE", "match": "match in the program",
    "replace": "use INSERT ... ON CONFLICT", "collate": "text is ordered by its bytes on both engines",
    "lateral": "use a join", "tablesample": "no", "materialized": "no", "grouping": "no", "unnest": "no",
    "truncate": "use DELETE with WHERE", "grant": "roles stand in the statement's head", "revoke": "likewise",
    "begin": "store_tx does it", "commit": "store_tx does it", "rollback": "store_tx does it", "savepoint": "store_savepoint does it",
    "partition": None, # OVER (PARTITION BY ...) is on both engines; checked below
}
FUNCTIONS = {
    "count", "sum", "min", "max", "avg", "coalesce", "nullif", "length", "lower", "upper", "substr", "abs", "round",
    "trim", "row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "cast",
}
# Words before a parenthesis that are no function.
NO_CALL = set("""in and or not exists check key unique primary values over filter as on using when then else case where
    select from join set by between like is having union all except intersect with distinct any limit offset escape""".split())
SINGLE = {"min", "max"}  # one argument: with more they are SQLite's own
WORD_TYPES_LOWER = {t.lower() for t in sqlfile.TYPES}
STARTS = {"name": {"select", "insert", "update", "delete", "with"},
          "migration": {"create", "alter", "drop", "insert", "update", "delete"}}
LITERAL = re.compile(r"'(?:[A-Za-z0-9_.:/ %\\-]{0,40})'")


def low(t):
    return t.text.lower() if t.kind == "word" else t.text


def writes(block):
    return any(t.kind == "word" and low(t) in ("insert", "update", "delete") for t in block.tokens)


def closing(part, i):
    """The index of the parenthesis that closes the one at ${i}."""
    depth = 0
    for j in range(i, len(part)):
        depth += {"(": 1, ")": -1}.get(part[j].text, 0)
        if depth == 0:
            return j
    return len(part) - 1


def split_commas(part):
    """The parts of a list of tokens between commas outside parentheses."""
    found, depth = [[]], 0
    for t in part:
        depth += {"(": 1, ")": -1}.get(t.text, 0)
        if t.text == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(t)
    return found


def check(block):
    check_head(block)
    for engine in sqlfile.ENGINES:
        for part in sqlfile.split_statements(block.of(engine)):
            check_tokens(block, part)
            check_start(block, part)
            check_calls(block, part)
            if low(part[0]) == "create" and low(part[1]) == "table":
                check_table(block, part)
            check_where(block, part)
            check_select(block, part)


def check_head(block):
    if block.kind == "migration":
        block.words("vaults", sqlfile.VAULTS)
    else:
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", block.value):
            block.fail(f"{block.value} is no name; write it like report_incident_get")
        block.words("roles", sqlfile.ROLES)
    if block.kind == "name" and block.many() and low(block.tokens[0]) not in ("select", "with"):
        block.fail("only what reads has many rows", block.head["rows"][0])
    names = [name for name, _ in block.args()]
    if len(set(names)) != len(names):
        block.fail("two arguments of one name")
    if len(names) > 100:
        block.fail("more than 100 arguments")
    for engine in sqlfile.ENGINES:
        used = {int(t.text[1:]) for t in block.of(engine) if t.kind == "param"}
        for n in sorted(used - set(range(1, len(names) + 1))):
            block.fail(f"${n} is no argument; {len(names)} are declared")
        for n in sorted(set(range(1, len(names) + 1)) - used):
            block.fail(f"argument {names[n - 1]} is never used: ${n}")


def check_tokens(block, part):
    for i, t in enumerate(part):
        word = low(t)
        if t.kind == "word":
            following = low(part[i + 1]) if i + 1 < len(part) else ""
            if word == "rowid" and i == len(part) - 1 and i and low(part[i - 1]) == "without":
                continue
            if word.startswith("pg_") or word.startswith("sqlite_"):
                block.fail(f"{t.text} belongs to one engine", t.line)
            if word == "partition" and (following != "by" or low(part[i - 1]) != "("):
                block.fail("no partitions in the SQL; an operator may partition tables on PostgreSQL", t.line)
            if WORDS.get(word):
                block.fail(f"{t.text} is not portable: {WORDS[word]}", t.line)
            if word in WORD_TYPES_LOWER and t.text not in sqlfile.TYPES and block.kind == "migration":
                block.fail(f"a type is written in capitals: {t.text.upper()}", t.line)
            if word == "for" and following in ("update", "no", "key"):
                block.fail("transactions are serializable; no row locks", t.line)
            if word == "or" and following in ("ignore", "abort", "fail"):
                block.fail("use ON CONFLICT DO NOTHING", t.line)
            if word == "nulls" and following in ("first", "last"):
                block.fail("NULLS FIRST and LAST cannot use an index everywhere; order by a condition first", t.line)
        elif t.kind == "str" and block.kind == "name" and not LITERAL.fullmatch(t.text):
            block.fail(f"the literal {t.text} is no short code; pass it as an argument", t.line)
        elif t.text in ("?", ":", "@", "::", "`", '"', "^", "#", "[", "]", "{", "}", "~", "!", "->", "->>", "&", "$"):
            block.fail(f"{t.text} is not portable; arguments are $1, $2 and casts CAST(x AS TYPE)", t.line)


def check_start(block, part):
    start = low(part[0])
    own = block.path.startswith("src/store/") and block.kind == "name"
    if start not in STARTS[block.kind] and not own:
        block.fail(f"{part[0].text} does not begin a {block.kind}; known: {' '.join(sorted(STARTS[block.kind]))}", part[0].line)
    if start == "create":
        second = [low(t) for t in part[1:3]]
        if second[0] not in ("table", "index") and second != ["unique", "index"]:
            block.fail(f"CREATE {part[1].text} is not portable; tables and indexes only", part[1].line)
        if "if" in [low(t) for t in part[:5]] and not own:
            block.fail("a migration runs once; no IF NOT EXISTS", part[0].line)
        if second[0] != "table" and any(low(t) == "using" for t in part):
            block.fail("an index names no method", part[0].line)
    if start == "alter" and [low(t) for t in part[3:4]] not in (["add"], ["rename"], ["drop"]):
        block.fail("ALTER TABLE adds, renames or drops a column; nothing else runs on both engines", part[0].line)
    if start == "alter" and low(part[3]) == "add" and low(part[4]) in ("constraint", "check", "unique", "foreign", "primary"):
        block.fail("ALTER TABLE ADD takes a column; SQLite adds no constraints", part[0].line)


def names_with_list(part):
    """Indexes of words that name a table, an index or a WITH query before a parenthesis."""
    found = set()
    for i in range(1, len(part) - 1):
        if part[i + 1].text != "(" or part[i].kind != "word":
            continue
        if low(part[i - 1]) in ("into", "references", "table", "on", "exists"):
            found.add(i)
        after = closing(part, i + 1) + 1
        if after < len(part) and low(part[after]) == "as" and low(part[i - 1]) in ("with", "recursive", ","):
            found.add(i)
    return found


def check_calls(block, part):
    named = names_with_list(part)
    for i, t in enumerate(part[:-1]):
        if t.kind != "word" or part[i + 1].text != "(" or i in named or low(t) in NO_CALL:
            continue
        if low(t) not in FUNCTIONS:
            block.fail(f"{t.text}() is no function of both engines; known: {' '.join(sorted(FUNCTIONS))}", t.line)
        if low(t) in SINGLE and len(split_commas(part[i + 2:closing(part, i + 1)])) > 1:
            block.fail(f"{t.text} of several values is SQLite's own; use CASE", t.line)
    for i, t in enumerate(part):
        if low(t) == "like" and "escape" not in [low(x) for x in part[i:i + 12]]:
            block.fail("LIKE needs ESCAPE: the engines differ without", t.line)


def check_table(block, part):
    start = next(i for i, t in enumerate(part) if t.text == "(")
    name = part[start - 1].text
    rows = split_commas(part[start + 1:closing(part, start)])
    key, columns = None, {}
    for row in rows:
        words = [low(t) for t in row]
        if words[0] in ("primary", "unique", "check", "foreign", "constraint"):
            if "primary" in words:
                at = next(i for i, t in enumerate(row) if t.text == "(")
                key = [t.text for t in row[at + 1:closing(row, at)] if t.kind == "word"]
            continue
        columns[row[0].text] = row
        if len(row) < 2 or row[1].text not in sqlfile.TYPES:
            block.fail(f"column {row[0].text} of {name} has no type; write INT, REAL, TEXT, BYTES or UUID", row[0].line)
        if "primary" in words:
            key = [row[0].text]
    if not key:
        block.fail(f"table {name} has no PRIMARY KEY", part[0].line)
    for column in key:
        words = [low(t) for t in columns.get(column, [])]
        if not words:
            block.fail(f"the key of {name} names {column}, which is no column", part[0].line)
        if "default" in words:
            block.fail(f"the key column {column} of {name} has a default; the application makes keys", part[0].line)
        if "null" not in words and "primary" not in words:
            block.fail(f"the key column {column} of {name} must be NOT NULL", part[0].line)
    if name in block.head.get("shared", (0, ""))[1].split():
        owner = [t.text.upper() for t in columns.get("owner", [])]
        if owner[:4] != ["OWNER", "UUID", "NOT", "NULL"] or key[0] != "owner":
            block.fail(f"the shared table {name} needs owner UUID NOT NULL, first in its key", part[0].line)


def check_where(block, part):
    words = [low(t) for t in part]
    if words[0] in ("update", "delete") and "where" not in words and block.kind == "name":
        block.fail(f"{part[0].text} without WHERE", part[0].line)


def check_select(block, part):
    for i, t in enumerate(part):
        if t.text == "*" and low(part[i - 1]) in ("select", ".", "distinct"):
            block.fail("name the columns: * changes with every migration", t.line)
