# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads src/tbl/*.tbl and holds them to their rules.

Every generator (C, OpenAPI, TypeScript, manuals, documents) reads the tables
through load() and so sees only tables that are consistent.  A fault names
file and line and says what was expected; nothing is guessed.

A line is words; a word in double quotes may hold spaces (\\" and \\\\ inside);
# begins a comment at the start of a line only.  Two spaces or more at its
start make a line part of the block above it.
"""
import pathlib
import re

VAULTS = ["strategic", "operational", "protection", "house"]  # the order of enum vault
PROCS = ["supervisor", "front", "house", "strategic", "operational", "protection", "keeper", "reader"]  # of enum proc
EXACT = 2**53 - 1  # whole numbers that every reader of JSON keeps exact
COUNT_MAX = 1000000000  # SHAPE_COUNT_MAX
CODE_MAX = 60  # SHAPE_CODE_MAX
ELEMENT_BYTES = 200  # of a string in an array, whose limits count elements
PAYLOAD_MAX = 2 * 1024 * 1024  # CHAN_PAYLOAD_MAX
PARAMS_MAX, QUERIES_MAX = 4, 16  # WIRE_PARAMS, WIRE_QUERIES
SETTINGS_MAX = 64  # struct wire_boot
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# Constants of the system's headers that an enum of ours must not meet.
TAKEN = {"MSG_OOB", "MSG_PEEK", "MSG_DONTROUTE", "MSG_CTRUNC", "MSG_PROXY", "MSG_TRUNC", "MSG_DONTWAIT", "MSG_EOR",
         "MSG_WAITALL", "MSG_FIN", "MSG_SYN", "MSG_CONFIRM", "MSG_RST", "MSG_ERRQUEUE", "MSG_NOSIGNAL", "MSG_MORE",
         "MSG_WAITFORONE", "MSG_BATCH", "MSG_ZEROCOPY", "MSG_FASTOPEN", "METRIC_COUNTER", "METRIC_GAUGE",
         "METRIC_HISTOGRAM", "PERM_PUBLIC", "PERM_SESSION"}


class Fault(Exception):
    """A table breaks a rule: str() is "file:line: what was expected"."""


class Row:
    """Attributes of one row, with the place it was read at."""

    def __init__(self, at, **values):
        self.at = at
        self.__dict__.update(values)


def fault(at, text):
    raise Fault(f"{at}: {text}")


def split(text, at):
    words, rest = [], text.strip()
    while rest:
        if rest[0] == '"':
            m = re.match(r'"((?:[^"\\]|\\["\\])*)"(?=\s|$)', rest)
            if not m:
                fault(at, f"a quoted word does not end, or has a character after its end: {rest[:40]}")
            words.append(Quoted(re.sub(r"\\(.)", r"\1", m.group(1))))
        else:
            m = re.match(r'[^\s"]+(?=\s|$)', rest)
            if not m:
                fault(at, f"a quotation mark stands inside a word: {rest[:40]}")
            words.append(m.group(0))
        rest = rest[m.end():].lstrip()
    return words


class Quoted(str):
    """A word that stood in quotation marks."""


class Line:
    """The words of a line, taken from the front."""

    def __init__(self, at, indented, words):
        self.at, self.indented, self.words = at, indented, words

    def more(self):
        return bool(self.words)

    def peek(self):
        return self.words[0] if self.words else None

    def word(self, what):
        if not self.words or isinstance(self.words[0], Quoted):
            fault(self.at, f"{what} was expected" + (f" before \"{self.words[0]}\"" if self.words else " at the end"))
        return self.words.pop(0)

    def flag(self, name):
        if self.words and self.words[0] == name and not isinstance(self.words[0], Quoted):
            self.words.pop(0)
            return True
        return False

    def quoted(self, what="words in quotation marks"):
        if not self.words or not isinstance(self.words[0], Quoted):
            fault(self.at, f"{what} were expected" + (f" before {self.words[0]}" if self.words else " at the end"))
        return self.words.pop(0)

    def name(self, what, pattern=r"[a-z][a-z0-9_]*"):
        word = self.word(what)
        if not re.fullmatch(pattern, word):
            fault(self.at, f"{word} is no {what}: it has the form {pattern}")
        return word

    def number(self, what):
        word = self.word(what)
        if not re.fullmatch(r"-?\d+", word):
            fault(self.at, f"{what} is a whole number, not {word}")
        return int(word)

    def limits(self, real=False):
        word = self.word("limits MIN..MAX")
        form = r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)" if real else r"(-?\d+)\.\.(-?\d+)"
        m = re.fullmatch(form, word)
        if not m:
            fault(self.at, f"limits have the form MIN..MAX, not {word}")
        low, high = (float(v) if real else int(v) for v in m.groups())
        if low > high:
            fault(self.at, f"limits {word}: the lower is above the upper")
        return low, high

    def end(self):
        if self.words:
            fault(self.at, f"nothing more was expected, but there is {self.words[0]}")


def lines(folder, name):
    path = pathlib.Path(folder) / name
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        at = f"{name}:{number}"
        yield Line(at, text.startswith("  "), split(text, at))


def unique(rows, key, what):
    seen = {}
    for row in rows:
        k = key(row)
        if k in seen:
            fault(row.at, f"{what} {k} is there already, at {seen[k].at}")
        seen[k] = row
    return seen


def c_name(prefix, code):
    return prefix + re.sub(r"[^A-Za-z0-9]", "_", code).upper()


def unique_c(rows, prefix, key):
    unique(rows, lambda r: c_name(prefix, key(r)), "the name in C")
    for row in rows:
        if c_name(prefix, key(row)) in TAKEN | {prefix + "COUNT"}:
            fault(row.at, f"{c_name(prefix, key(row))} has another meaning in C; choose another name")


# ---- access.tbl ----

def read_access(folder):
    vaults, perms, roles = [], [], []
    for line in lines(folder, "access.tbl"):
        kind = line.word("vault, permission or role")
        if kind == "vault":
            vaults.append(Row(line.at, name=line.name("name of a vault"), words=line.quoted()))
        elif kind == "permission":
            perms.append(Row(line.at, code=line.name("code of a permission", r"[a-z_]+(\.[a-z_]+)?"),
                             vault=line.word("vault"), words=line.quoted()))
        elif kind == "role":
            row = Row(line.at, name=line.name("name of a role"), vault=line.word("vault"), words=line.quoted(), perms=[])
            if line.word("a colon") != ":":
                fault(line.at, "a colon was expected before the permissions of the role")
            while line.more():
                row.perms.append(line.word("permission"))
            roles.append(row)
        else:
            fault(line.at, f"vault, permission or role was expected, not {kind}")
        line.end()
    check_access(vaults, perms, roles)
    return vaults, perms, roles


def check_access(vaults, perms, roles):
    unique(vaults, lambda v: v.name, "vault")
    if [v.name for v in vaults] != VAULTS:
        fault("access.tbl", f"the vaults are, in this order: {' '.join(VAULTS)}")
    by_code = unique(perms, lambda p: p.code, "permission")
    unique(roles, lambda r: r.name, "role")
    unique_c(perms, "PERM_", lambda p: p.code)
    unique_c(roles, "ROLE_", lambda r: r.name)
    for p in perms:
        if p.vault not in VAULTS:
            fault(p.at, f"there is no vault {p.vault}")
        p.bit = sum(q.vault == p.vault for q in perms[:perms.index(p)])
        if p.bit > 63:
            fault(p.at, f"vault {p.vault} has more than 64 permissions")
    if "self" not in by_code:
        fault("access.tbl", "there is no permission self")
    for r in roles:
        if r.vault not in VAULTS:
            fault(r.at, f"there is no vault {r.vault}")
        if not r.perms:
            fault(r.at, f"role {r.name} has no permission")
        for code in r.perms:
            if code not in by_code or code == "self":
                fault(r.at, f"there is no permission {code} that a role could give")
            if by_code[code].vault != r.vault:
                fault(r.at, f"permission {code} is of vault {by_code[code].vault}, role {r.name} of {r.vault}")
            if r.perms.count(code) > 1:
                fault(r.at, f"permission {code} is named twice")
    for p in perms:
        if p.code != "self" and not any(p.code in r.perms for r in roles):
            fault(p.at, f"no role gives permission {p.code}")


# ---- shapes.tbl ----

def read_type(line):
    """TYPE and limits of a field, a query or an element. Shapes are named, not yet looked up."""
    at, word = line.at, line.word("a type")
    array = word.endswith("[]")
    base = word[:-2] if array else word
    value = Row(at, type=base, min=0, max=0, choices=None, codebook=None, shape=None, array=array, amin=0, amax=0,
                null=False)
    if base == "enum" or base == "code":
        word = line.word("A|B|C" if base == "enum" else "name of a codebook")
        value.array = array = word.endswith("[]")
        word = word[:-2] if array else word
        if base == "code":
            value.codebook, value.min, value.max = word, 1, CODE_MAX
            if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
                fault(at, f"{word} is no name of a codebook")
        else:
            value.choices = word.split("|")
            if len(set(value.choices)) < len(value.choices) or "" in value.choices:
                fault(at, f"choices {word}: one is empty or there twice")
    elif base in ("string", "int", "real"):
        if not array:
            value.min, value.max = line.limits(base == "real")
        else:
            value.min, value.max = {"string": (0, ELEMENT_BYTES), "int": (-EXACT, EXACT), "real": (-1e15, 1e15)}[base]
        if base == "string" and value.min < 0 or base == "int" and max(-value.min, value.max) > EXACT:
            fault(at, "a string has 0 bytes or more, a whole number stays within 2^53 - 1")
    elif base == "count":
        value.max = COUNT_MAX
    elif base not in ("bool", "uuid", "time", "date", "object"):
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", base):
            fault(at, f"there is no type {base}")
        value.type, value.shape = "shape", base
    if array:
        value.amin, value.amax = line.limits()
        if value.amin < 0 or value.amax > 1000000:
            fault(at, "an array has 0 to 1000000 elements")
    return value


def read_shapes(folder):
    shapes = []
    for line in lines(folder, "shapes.tbl"):
        if not line.indented:
            if line.word("shape") != "shape":
                fault(line.at, "shape NAME \"words\" was expected")
            shapes.append(Row(line.at, name=line.name("name of a shape", r"[A-Z][A-Za-z0-9]*"), words=line.quoted(),
                              fields=[]))
        else:
            if not shapes:
                fault(line.at, "a field stands outside a shape")
            name = line.name("name of a field")
            value = read_type(line)
            value.null = line.flag("null")
            if value.null and not value.array:
                fault(line.at, "only elements of an array may be null; a field that has nothing to say is left out")
            shapes[-1].fields.append(Row(line.at, name=name, value=value, required=line.flag("required"),
                                         secret=line.flag("secret"), words=line.quoted()))
        line.end()
    by_name = unique(shapes, lambda s: s.name, "shape")
    for s in shapes:
        unique(s.fields, lambda f: f.name, f"field of {s.name}")
        if not s.fields:
            fault(s.at, f"shape {s.name} has no field")
        for f in s.fields:
            if f.value.shape and f.value.shape not in by_name:
                fault(f.at, f"there is no shape {f.value.shape}")
    for s in shapes:
        check_cycle(s, by_name, [])
    return shapes


def check_cycle(shape, by_name, above):
    if shape.name in above:
        fault(shape.at, f"shape {shape.name} contains itself: {' > '.join(above + [shape.name])}")
    for f in shape.fields:
        if f.value.shape:
            check_cycle(by_name[f.value.shape], by_name, above + [shape.name])


def shape_has(shape, by_name, test):
    return any(test(f) or f.value.shape and shape_has(by_name[f.value.shape], by_name, test) for f in shape.fields)


# ---- routes.tbl ----

def read_routes(folder):
    routes = []
    for line in lines(folder, "routes.tbl"):
        if not line.indented:
            if line.word("route") != "route":
                fault(line.at, "route METHOD PATH OPERATION VAULT PERMISSION was expected")
            row = Row(line.at, method=line.word("a method"), path=line.word("a path"),
                      operation=line.name("name of an operation"), vault=line.word("a vault or each"),
                      perm=line.word("a permission"), body="none", shape=None, queries=[], answers=[], words=None)
            row.purpose, row.stream = line.flag("purpose"), line.flag("stream")
            routes.append(row)
        else:
            if not routes:
                fault(line.at, "this stands outside a route")
            read_route_line(routes[-1], line)
        line.end()
    return routes


def read_route_line(route, line):
    if isinstance(line.peek(), Quoted):
        if route.words is not None:
            fault(line.at, "the route has its words already")
        route.words = line.quoted()
        return
    kind = line.word("in, upload, query, out or words")
    if kind in ("in", "upload"):
        if route.body != "none":
            fault(line.at, "the route has a body already")
        route.body = "json" if kind == "in" else "upload"
        route.shape = line.word("name of a shape") if kind == "in" else None
    elif kind == "query":
        name = line.name("name of a query parameter")
        value = read_type(line)
        if value.array or value.type in ("shape", "object", "count", "real"):
            fault(line.at, "a query parameter is a string, int, bool, uuid, time, date, code or enum")
        route.queries.append(Row(line.at, name=name, value=value, required=line.flag("required"), words=line.quoted()))
    elif kind == "out":
        status = line.number("a status")
        what = None if isinstance(line.peek(), Quoted) or not line.more() else line.word("shape or bytes")
        words = line.quoted() if line.more() else None
        route.answers.append(Row(line.at, status=status, shape=None if what == "bytes" else what,
                                 bytes=what == "bytes", words=words))
    else:
        fault(line.at, f"in, upload, query, out or words in quotation marks were expected, not {kind}")


def params_of(path, at):
    params = []
    for part in path.split("/")[1:]:
        m = re.fullmatch(r"\{([a-z_]+)\}", part)
        if m:
            params.append(m.group(1))
        elif not re.fullmatch(r"[a-z][a-z0-9_.-]*", part):
            fault(at, f"part \"{part}\" of path {path} is neither small letters nor a {{name}}")
    if len(set(params)) < len(params):
        fault(at, f"path {path} names a parameter twice")
    return params


def check_routes(routes, perms, shapes, purposes):
    by_code = {p.code: p for p in perms}
    by_name = {s.name: s for s in shapes}
    unique(routes, lambda r: r.operation, "operation")
    unique_c(routes, "OP_", lambda r: r.operation)
    for r in routes:
        check_route(r, by_code, by_name, purposes)
    check_paths(expand(routes))


def check_route(r, by_code, by_name, purposes):
    if r.method not in METHODS:
        fault(r.at, f"method {r.method} is none of {' '.join(METHODS)}")
    if not r.path.startswith("/api/"):
        fault(r.at, f"path {r.path} does not begin with /api/")
    params = params_of(r.path, r.at)
    each = r.vault == "each"
    if not each and r.vault not in VAULTS:
        fault(r.at, f"there is no vault {r.vault}")
    if each != ("vault" in params) or each and not r.path.startswith("/api/{vault}/"):
        fault(r.at, "a route in each vault, and no other, has {vault} as the first part of its path after /api/")
    if len(params) > PARAMS_MAX or len(r.queries) > QUERIES_MAX:
        fault(r.at, f"a route has at most {PARAMS_MAX} parameters in its path and {QUERIES_MAX} queries")
    check_permission(r, by_code)
    check_body(r, by_name)
    if r.words is None:
        fault(r.at, f"route {r.operation} has no words")
    unique(r.queries, lambda q: q.name, "query")
    check_answers(r, by_name)
    if r.purpose and not any(v in p.vaults for p in purposes for v in (VAULTS if each else [r.vault])):
        fault(r.at, f"no purpose of purposes.tbl may be named in vault {r.vault}")
    if r.purpose and r.perm in ("public", "session"):
        fault(r.at, "a purpose is asked of an account with a permission only")


def check_permission(r, by_code):
    if r.perm in ("public", "session", "self"):
        if r.perm != "self" and r.vault != "house":
            fault(r.at, f"only the house answers without a permission; {r.vault} is a vault")
        return
    codes = [r.perm]
    if r.perm.startswith("*."):
        if r.vault != "each":
            fault(r.at, f"permission {r.perm} is for routes in each vault")
        codes = [v + r.perm[1:] for v in VAULTS]
    elif r.vault == "each":
        fault(r.at, "a route in each vault has permission self or *.NAME")
    for code in codes:
        if code not in by_code:
            fault(r.at, f"there is no permission {code}")
        want = code.split(".")[0] if r.vault == "each" else r.vault
        if by_code[code].vault != want:
            fault(r.at, f"permission {code} is of vault {by_code[code].vault}, the route of {want}")


def check_body(r, by_name):
    # Whatever changes something must ask for the CSRF token, and GET never does.
    if r.method == "GET" and r.body != "none":
        fault(r.at, "a GET has no body: what changes something is POST, PUT, PATCH or DELETE, which ask for the CSRF token")
    if r.method == "GET" and re.match(r"(make|write|set|change|give|add|delete|end|close|start|lock|unlock|reset)_", r.operation):
        fault(r.at, f"{r.operation} changes something; a GET asks for no CSRF token")
    if r.method == "DELETE" and r.body != "none":
        fault(r.at, "a DELETE has no body")
    if r.method in ("PUT", "PATCH") and r.body == "none":
        fault(r.at, f"a {r.method} has a body")
    if r.shape is not None:
        if r.shape not in by_name:
            fault(r.at, f"there is no shape {r.shape}")
        if shape_has(by_name[r.shape], by_name, lambda f: f.value.type == "object" or f.value.null):
            fault(r.at, f"shape {r.shape} goes in but holds an object or nulls, whose content nothing checks")


def check_answers(r, by_name):
    unique(r.answers, lambda a: a.status, "answer with status")
    if sum(200 <= a.status < 300 for a in r.answers) != 1:
        fault(r.at, f"route {r.operation} has one answer between 200 and 299")
    for a in r.answers:
        if not 200 <= a.status <= 599 or a.status in (304,):
            fault(a.at, f"status {a.status} is not one a route gives")
        if a.shape is not None and a.shape not in by_name:
            fault(a.at, f"there is no shape {a.shape}")
        if a.status == 204 and (a.shape or a.bytes):
            fault(a.at, "an answer 204 has no body")
        if a.status != 204 and not (a.shape or a.bytes):
            fault(a.at, f"an answer {a.status} has a shape or bytes")
        if a.status >= 400 and a.shape != "Problem":
            fault(a.at, "an error is told as a Problem")
        if a.bytes and not r.stream:
            fault(a.at, "an answer of bytes is of any length: the route needs the flag stream")
        if a.words is None:
            a.words = by_name[a.shape].words if a.shape else ""


def expand(routes):
    """One row a vault, with the vault's name and permission in place."""
    rows = []
    for r in routes:
        for vault in VAULTS if r.vault == "each" else [r.vault]:
            row = Row(r.at, **{k: v for k, v in r.__dict__.items() if k != "at"})
            row.vault, row.path = vault, r.path.replace("{vault}", vault)
            row.perm = vault + r.perm[1:] if r.perm.startswith("*.") else r.perm
            row.params = params_of(row.path, r.at)
            rows.append(row)
    return rows


def check_paths(rows):
    def meets(a, b):
        a, b = a.split("/"), b.split("/")
        # {id} is a uuid, which no literal part of ours is.
        return len(a) == len(b) and all(x == y or x[:1] == y[:1] == "{" or "{" in x + y and "{id}" not in (x, y)
                                        for x, y in zip(a, b))
    for i, r in enumerate(rows):
        for other in rows[:i]:
            if r.method == other.method and meets(r.path, other.path):
                fault(r.at, f"{r.method} {r.path} could also be {other.path} at {other.at}")


# ---- messages.tbl ----

def read_messages(folder):
    rows = []
    for line in lines(folder, "messages.tbl"):
        if line.word("message") != "message":
            fault(line.at, "message NAME FROM TO MIN MAX [fd] \"words\" was expected")
        row = Row(line.at, name=line.name("name of a message", r"[A-Z][A-Z0-9_]*"), sender=line.word("who says it").split("|"),
                  receiver=line.word("to whom").split("|"), min=line.number("the least length"),
                  max=line.number("the greatest length"), descriptor=line.flag("fd"), words=line.quoted())
        line.end()
        for p in row.sender + row.receiver:
            if p not in PROCS:
                fault(row.at, f"there is no process {p}")
        if len(set(row.sender)) < len(row.sender) or len(set(row.receiver)) < len(row.receiver):
            fault(row.at, "a process is named twice")
        for p in row.sender:
            if not set(row.receiver) - {p}:
                fault(row.at, f"{p} has no one to say {row.name} to: a message without receiver")
        if not 0 <= row.min <= row.max <= PAYLOAD_MAX:
            fault(row.at, f"lengths are 0 <= MIN <= MAX <= {PAYLOAD_MAX}")
        if row.descriptor and row.sender != ["supervisor"]:
            fault(row.at, "only the supervisor hands over descriptors")
        rows.append(row)
    unique(rows, lambda r: r.name, "message")
    unique_c(rows, "MSG_", lambda r: r.name)
    return rows


# ---- ledger_events.tbl, purposes.tbl, metrics.tbl, exits.tbl ----

def read_ledger_events(folder):
    rows = []
    for line in lines(folder, "ledger_events.tbl"):
        if line.word("event") != "event":
            fault(line.at, "event NUMBER CODE \"words\" was expected")
        rows.append(Row(line.at, number=line.number("a number"), code=line.name("code of an event", r"[a-z_]+\.[a-z_]+"),
                        words=line.quoted()))
        line.end()
        if not 1 <= rows[-1].number <= 65535:
            fault(line.at, "an event's number is 1 to 65535")
    unique(rows, lambda r: r.number, "event")
    unique(rows, lambda r: r.code, "event")
    unique_c(rows, "LEDGER_EV_", lambda r: r.code)
    if rows != sorted(rows, key=lambda r: r.number):
        fault("ledger_events.tbl", "events stand in the order of their numbers, which are permanent")
    return rows


def read_purposes(folder):
    rows = []
    for line in lines(folder, "purposes.tbl"):
        if line.word("purpose") != "purpose":
            fault(line.at, "purpose CODE VAULT|VAULT \"words\" was expected")
        rows.append(Row(line.at, code=line.name("code of a purpose"), vaults=line.word("vaults").split("|"),
                        words=line.quoted()))
        line.end()
        for v in rows[-1].vaults:
            if v not in VAULTS:
                fault(line.at, f"there is no vault {v}")
        if len(rows[-1].code) > 40:
            fault(line.at, "a purpose's code has at most 40 characters")
    unique(rows, lambda r: r.code, "purpose")
    unique_c(rows, "PURPOSE_", lambda r: r.code)
    return rows


def read_metrics(folder):
    rows = []
    for line in lines(folder, "metrics.tbl"):
        row = Row(line.at, type=line.word("counter, gauge or histogram"),
                  name=line.name("name of a metric", r"fairway_[a-z0-9_]+"), labels=[], bounds=[], words=None)
        if row.type not in ("counter", "gauge", "histogram"):
            fault(row.at, f"counter, gauge or histogram was expected, not {row.type}")
        if line.flag("by"):
            row.labels = line.word("labels").split("|")
        if line.flag("bounds"):
            row.bounds = [float(b) for b in line.word("bounds").split("|")]
        row.words = line.quoted()
        line.end()
        if (row.type == "counter") != row.name.endswith("_total"):
            fault(row.at, "a counter, and nothing else, ends in _total")
        if (row.type == "histogram") != bool(row.bounds) or row.bounds != sorted(set(row.bounds)):
            fault(row.at, "a histogram, and nothing else, has bounds, rising")
        if not all(re.fullmatch(r"[a-z_]+", x) and x != "le" for x in row.labels):
            fault(row.at, f"labels {'|'.join(row.labels)}: small letters, and not le")
        rows.append(row)
    unique(rows, lambda r: r.name, "metric")
    unique_c(rows, "METRIC_", lambda r: r.name.removeprefix("fairway_"))
    return rows


def read_exits(folder):
    rows = []
    for line in lines(folder, "exits.tbl"):
        if line.word("exit") != "exit":
            fault(line.at, "exit STATUS NAME \"words\" was expected")
        rows.append(Row(line.at, status=line.number("a status"), name=line.name("name of an exit status"),
                        words=line.quoted()))
        line.end()
        if not 0 <= rows[-1].status <= 125:
            fault(line.at, "an exit status is 0 to 125")
    unique(rows, lambda r: r.status, "exit status")
    unique(rows, lambda r: r.name, "exit status")
    return rows


# ---- settings.tbl ----

def read_settings(folder):
    sections, rows = [], []
    for line in lines(folder, "settings.tbl"):
        if not line.indented:
            if line.word("section") != "section":
                fault(line.at, "section NAME \"words\" was expected")
            sections.append(Row(line.at, name=line.name("name of a section"), words=line.quoted()))
        else:
            if not sections:
                fault(line.at, "a setting stands outside a section")
            rows.append(read_setting(line, sections[-1].name))
        line.end()
    unique(sections, lambda s: s.name, "section")
    unique(rows, lambda r: r.section + "." + r.key, "setting")
    unique(rows, lambda r: r.section + "_" + r.key, "the name in C")
    if len(rows) > SETTINGS_MAX:
        fault(rows[-1].at, f"there are more than {SETTINGS_MAX} settings")
    return sections, rows


def read_setting(line, section):
    row = Row(line.at, section=section, key=line.name("name of a setting"), type=line.word("a type"), min=0, max=0,
              choices=None, standard=None, words=None)
    if row.type in ("string", "int"):
        row.min, row.max = line.limits()
    elif row.type == "path":
        row.max = 4000
    elif row.type == "enum":
        row.choices = line.word("A|B|C").split("|")
    elif row.type != "bool":
        fault(line.at, f"a setting is a string, path, int, bool or enum, not {row.type}")
    if not line.flag("required"):
        if line.word("required, or = and the standard value") != "=":
            fault(line.at, "required was expected, or = and the standard value")
        row.standard = str(line.words.pop(0)) if line.more() else fault(line.at, "a standard value was expected")
        check_standard(row)
    row.words = line.quoted()
    return row


def check_standard(row):
    s = row.standard
    good = {"string": lambda: row.min <= len(s.encode()) <= row.max, "path": lambda: len(s) <= row.max,
            "int": lambda: re.fullmatch(r"-?\d+", s) and row.min <= int(s) <= row.max,
            "bool": lambda: s in ("yes", "no"), "enum": lambda: s in row.choices}[row.type]()
    if not good:
        fault(row.at, f"the standard value {s} does not fit the setting's own type and limits")


# ---- commands.tbl ----

def read_commands(folder):
    commands, common, block = [], Row("", options=[]), None
    for line in lines(folder, "commands.tbl"):
        kind = line.word("command, verb, common, option, argument, example or text")
        if kind == "common":
            block = common
        elif kind in ("command", "verb"):
            if kind == "verb" and not commands:
                fault(line.at, "a verb stands outside a command")
            row = Row(line.at, command=None, verb=None, options=[], arguments=[], examples=[], words=None, text="")
            name = line.name("name of a " + kind, r"[a-z][a-z-]*")
            row.command, row.verb = (name, None) if kind == "command" else (commands[-1].command, name)
            row.abstract, row.hidden, row.offline = line.flag("abstract"), line.flag("hidden"), line.flag("offline")
            row.words = line.quoted()
            commands.append(row)
            block = row
        elif block is None:
            fault(line.at, f"{kind} stands outside a command")
        elif kind == "option":
            block.options.append(read_option(line))
        elif block is not common and kind == "argument":
            block.arguments.append(Row(line.at, name=line.name("name of an argument", r"[A-Z][A-Z-]*"),
                                       optional=line.flag("optional"), many=line.flag("many"), words=line.quoted()))
        elif block is not common and kind == "example":
            block.examples.append(Row(line.at, line=line.quoted(), words=line.quoted()))
        elif block is not common and kind == "text":
            block.text += (" " if block.text else "") + line.quoted()
        else:
            fault(line.at, f"command, verb, option, argument, example or text was expected, not {kind}")
        line.end()
    check_commands(commands, common)
    return commands, common.options


def read_option(line):
    row = Row(line.at, name=line.name("name of an option", r"[a-z][a-z-]*"), letter=None, type="flag", argument=None,
              min=0, max=0, choices=None, required=False, repeat=False, online=False, words=None)
    if line.peek() and re.fullmatch(r"-[a-zA-Z]", line.peek()):
        row.letter = line.word("letter")[1]
    if line.peek() in ("string", "int", "enum"):
        row.type = line.word("type")
        row.argument = line.name("name of the value", r"[A-Z][A-Z=-]*")
        if row.type == "enum":
            row.choices = line.word("A|B|C").split("|")
        else:
            row.min, row.max = line.limits()
    row.required, row.repeat, row.online = line.flag("required"), line.flag("repeat"), line.flag("online")
    row.words = line.quoted()
    return row


def check_commands(commands, common):
    unique(commands, lambda c: c.command + (" " + c.verb if c.verb else ""), "command")
    unique(commands, lambda c: c_name("CMD_", c.command + ("_" + c.verb if c.verb else "")), "the name in C")
    for c in commands:
        verbs = [v for v in commands if v.command == c.command and v.verb]
        if not c.verb and c.abstract != bool(verbs):
            fault(c.at, f"command {c.command} is abstract if, and only if, it has verbs")
        if c.abstract and (c.options or c.arguments or c.verb):
            fault(c.at, "an abstract command has no options and no arguments")
        shared = [o for o in common.options if not (o.online and c.offline)]
        unique(shared + c.options, lambda o: o.name, "option")
        unique([o for o in shared + c.options if o.letter], lambda o: o.letter, "letter")
        c.options += shared
        for a, b in zip(c.arguments, c.arguments[1:]):
            if a.many or a.optional and not b.optional:
                fault(b.at, "only the last argument may be many, and none follows an optional one but optional ones")


class Tables:
    pass


def load(folder):
    t = Tables()
    t.vaults, t.perms, t.roles = read_access(folder)
    t.shapes = read_shapes(folder)
    t.purposes = read_purposes(folder)
    t.routes = read_routes(folder)
    check_routes(t.routes, t.perms, t.shapes, t.purposes)
    t.route_rows = expand(t.routes)
    t.messages = read_messages(folder)
    t.ledger_events = read_ledger_events(folder)
    t.metrics = read_metrics(folder)
    t.exits = read_exits(folder)
    t.sections, t.settings = read_settings(folder)
    t.commands, t.common_options = read_commands(folder)
    t.shape = {s.name: s for s in t.shapes}
    return t


def going_in(t):
    """Names of the shapes that a request may hold, at any depth."""
    names, todo = set(), [r.shape for r in t.routes if r.shape]
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo += [f.value.shape for f in t.shape[name].fields if f.value.shape]
    return names
