#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Break into each process and see what it cannot reach.

fairway-break-in (hook.c) runs each attempt of expected.py inside the process
that is named, after its walls are up, and writes what came of it on the board,
a file that both sides have in memory.  An attempt that a wall kills is seen as
the death of its process; the supervisor starts it again, and its next life goes
on with the next row.

The control runs the same rows in a node without walls: what is refused there
too would prove nothing here.

The program comes from FAIRWAY_BREAK_IN_DIR, a build with -Dbreak_in=true and no
sanitizer (their runtimes need gaps in the walls), else from FAIRWAY_BUILD.
"""
import ctypes
import errno
import hashlib
import base64
import mmap
import os
import pathlib
import pwd
import shutil
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))

from imports_help import imported, row, summary, table  # noqa: E402
from node import Node, Skip, main, scenario, until  # noqa: E402
from expected import BY_USERS, FILES, MESSAGES, NOT_FOR_SUPERVISOR, READER, ROWS, SUPERVISOR_MAY, WALLED  # noqa: E402

# As in break_in.h and chan.h.
PROCS = ["supervisor", "front", "house", "strategic", "operational", "protection", "keeper", "reader"]
HEAD, ROW, ROWS_MAX = "<16s5I8i32s", "<32s256sIIiI", 2048
OPEN, BEGUN, ENDED, KILLED = range(4)
SIZE = struct.calcsize(HEAD) + ROWS_MAX * struct.calcsize(ROW)
# What only root may do on any machine: the control does not count these when it is run by another.
ROOT = {"open_by_handle", "mount", "umount", "chroot", "setns", "setgroups", "bpf", "perf_event", "init_module", "fanotify",
        "syslog", "socket_raw", "setuid"}
USERS = {"front": "games", "house": "daemon", "strategic": "mail", "operational": "news", "protection": "lp", "keeper": "bin",
         "reader": "nobody"}


# A filter of system calls: 444 to 446 (Landlock's, on every architecture) answer ENOSYS.
HIDE_LANDLOCK = """
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
class Prog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
prog = Prog(len(code), ctypes.addressof(program))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(prog), 0, 0) == 0
"""


def program():
    build = os.environ.get("FAIRWAY_BREAK_IN_DIR") or os.environ.get("FAIRWAY_BUILD", "build")
    path = pathlib.Path(build) / "tests" / "break_in" / "fairway-break-in"
    if not os.access(path, os.X_OK):
        raise Skip(f"no {path}: FAIRWAY_BREAK_IN_DIR names no build with -Dbreak_in=true")
    return str(path)


def landlock():
    """The kernel's version of Landlock; 0 without."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


class Board:
    """The file that the processes share with this test."""

    def __init__(self, path, walls_off=False, connects=0):
        self.path, self.walls_off, self.connects, self.uploads, self.rows = path, walls_off, connects, False, []
        self.pids, self.token = [0] * len(PROCS), bytes(32)
        path.write_bytes(bytes(SIZE))
        path.chmod(0o666)
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), SIZE)
        self.head(False)

    def head(self, go):
        struct.pack_into(HEAD, self.memory, 0, b"break-in board 1", go, self.walls_off, len(self.rows), self.connects,
                         self.uploads, *self.pids, self.token)

    def fill(self, rows):
        """Rows of (attempt, argument, process)."""
        assert len(rows) <= ROWS_MAX
        self.rows = [PROCS.index(process) for _, _, process in rows]
        for i, (attempt, argument, process) in enumerate(rows):
            struct.pack_into(ROW, self.memory, self.at(i), attempt.encode(), argument.encode(), PROCS.index(process), OPEN, 0, 0)
        self.head(False)

    def at(self, i):
        return struct.calcsize(HEAD) + i * struct.calcsize(ROW)

    def of(self, i):
        """(state, result)"""
        return struct.unpack_from(ROW, self.memory, self.at(i))[3:5]

    def set(self, i, state):
        struct.pack_into("<I", self.memory, self.at(i) + 32 + 256 + 4, state)

    def indexes(self, process, *states):
        return [i for i, p in enumerate(self.rows) if p == PROCS.index(process) and self.of(i)[0] in states]


def cause_of(words):
    """A death as the supervisor tells it, in one word."""
    if "signal 31" in words:
        return "killed"
    return "ended" if "signal 9" in words else "died"


def outcome_of(result):
    if result >= 100:
        return str(result)
    if result >= 0:
        return "done"
    if -result in (errno.EPERM, errno.EACCES, errno.EXDEV, errno.ENOTTY):
        return "refused"
    return "closed" if -result in (errno.EPIPE, errno.ECONNRESET) else errno.errorcode.get(-result, str(result))


class BreakIn:
    """A node whose processes are taken over; what came of each row is in .outcome, by (process, attempt, argument)."""

    def __init__(self, folder, walls_off=False, users=False, connects=0, without_landlock=False):
        self.folder = folder
        sandbox = "available" if without_landlock or landlock() < 1 else "required"
        folder.chmod(0o755)
        self.bin = folder / "bin"
        self.bin.mkdir()
        os.environ["FAIRWAY_PROGRAM"] = shutil.copy(program(), self.bin)  # a copy: the control writes beside it
        settings = {"session.factor": "optional", "process.sandbox": sandbox}
        if users:  # as init --users does, with users that every Debian has
            settings.update({"process." + name: user for name, user in USERS.items()})
        self.node = Node(folder, settings=settings, env={"FAIRWAY_BREAK_IN": str(folder / "node" / "run" / "board")}, start=False)
        self.node.init()
        self.board = Board(self.node.dir / "run" / "board", walls_off, connects)  # where the supervisor's walls let it be written
        self.outcome = {}
        self.prepare()
        if without_landlock:
            self.hide_landlock()
        for name, user in USERS.items() if users else ():
            for path in [self.node.dir / name, *(self.node.dir / name).rglob("*")] if name in FILES.split() else ():
                shutil.chown(path, user, pwd.getpwnam(user).pw_gid)

    def hide_landlock(self):
        """From here on the program runs as on a kernel that knows nothing of Landlock."""
        path = self.bin / "without-landlock"
        path.write_text(f"#!{sys.executable}\n{HIDE_LANDLOCK}os.execv({os.environ['FAIRWAY_PROGRAM']!r}, sys.argv)\n")
        path.chmod(0o755)
        os.environ["FAIRWAY_PROGRAM"] = str(path)

    def prepare(self):
        """What attempts reach for: a program on the network, files, sockets."""
        out = self.folder / "out"
        out.mkdir()
        (out / "secret").write_text("secret")
        self.tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(out / "socket"))
        self.unix.listen(64)
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind("\0fairway-break-in-%d" % os.getpid())
        self.abstract.listen(64)
        heads = sorted((self.node.dir / "keeper").glob("*.head"))
        assert heads, list((self.node.dir / "keeper").iterdir())
        self.names = {"node": self.node.dir, "out": out, "bin": self.bin, "test": os.getpid(), "head": heads[0].name,
                      "port": self.tcp.getsockname()[1], "abstract": "fairway-break-in-%d" % os.getpid()}
        for process in PROCS:
            for kind in ("unlink", "rename", "link", "truncate", "chmod"):
                (self.node.dir / "protection" / f"decoy-{kind}-{process}").write_text("decoy")
        for home in ("house", "strategic", "operational", "protection", "keeper"):
            (self.node.dir / home / "code").write_bytes(bytes(4096))

    def argument(self, text, process):
        home = self.node.dir / process if process in FILES.split() else self.folder / "out"
        return text.format_map(dict(self.names, me=process, home=home))

    def attempt(self, rows, seconds=20):
        """Rows of (attempt, argument as it stands in expected.py, process): all of them, in as many lives as it takes."""
        self.now = rows
        self.board.fill([(a, self.argument(t, p), p) for a, t, p in rows])
        while any(self.board.of(i)[0] == OPEN for i in range(len(rows))):
            before = sum(self.board.of(i)[0] != OPEN for i in range(len(rows)))
            self.life(seconds)
            done = sum(self.board.of(i)[0] != OPEN for i in range(len(rows)))
            assert done > before, [rows[i] for i in range(len(rows)) if self.board.of(i)[0] == OPEN]
        for i, row in enumerate(rows):
            state, result = self.board.of(i)
            if state == ENDED:
                self.outcome[row[2], row[0], row[1]] = outcome_of(result)

    def wait_for_heads(self):
        """Until the keeper has signed a head of each ledger: whoever comes before that is the first."""
        with self.node:
            self.node.start()
            until(lambda: len({row["msg"].split("\n")[0] for row in self.node.log_lines("ledger.checkpoint")}) == 4)

    def life(self, seconds):
        """One life of the node: each process goes on until a row ends it or it has none left."""
        node, board = self.node, self.board
        board.head(False)
        node.start()
        try:
            node.wait_ready()
            if not any(board.token):
                token = node.login("reporter").token
                board.token = hashlib.sha256(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))).digest()
            children = node.children()
            board.pids = [node.process.pid if p == "supervisor" else children.get(p, 0) if p != "reader" else 0 for p in PROCS]
            board.head(True)
            until(self.all_rest, seconds, 0.01)
        except AssertionError as e:
            stuck = [self.now[i] for p in PROCS for i in board.indexes(p, BEGUN)]
            raise AssertionError(f"{e}; under way: {stuck}") from e
        finally:
            node.crash()
        self.note_deaths()

    def deaths(self, process):
        event = "reader.death" if process == "reader" else "process.death"
        rows = self.node.log_lines(event)
        return [row["msg"] for row in rows if process == "reader" or row["msg"].split()[0] == process]

    def all_rest(self):
        """every process has died once or has no row left"""
        for process in PROCS:
            waiting = self.board.indexes(process, OPEN, BEGUN)
            if not waiting:
                continue
            if process == "reader" or not self.deaths(process):
                if process != "reader" or self.board.indexes(process, OPEN):
                    return False
                if len(self.deaths(process)) < len(self.board.indexes(process, BEGUN)):
                    return False
        return True

    def note_deaths(self):
        for process in PROCS:
            for i, words in zip(self.board.indexes(process, BEGUN), self.deaths(process)):
                self.board.set(i, KILLED)
                attempt, argument, _ = self.now[i]
                self.outcome[process, attempt, argument] = cause_of(words)
            for i in self.board.indexes(process, BEGUN):
                self.board.set(i, OPEN)  # the node's end came before its own: again


def expand(rows, processes=None):
    return [(a, t, p) for a, t, who, _, _ in rows for p in who.split() if processes is None or p in processes]


def apart(rows):
    """Rows whose target is another living process, and all the others: the first kind needs a node in which nobody dies."""
    return [r for r in rows if "%s" in r[1]], [r for r in rows if "%s" not in r[1]]


def try_all(broken, rows):
    alive, others = apart([row for row in rows if row[2] != "reader"])
    broken.attempt(others)
    broken.attempt([row for row in rows if row[2] == "reader"])  # apart: readers die with their worker
    for process in sorted({p for _, _, p in alive}):
        broken.attempt([row for row in alive if row[2] == process])
    return broken.outcome


# What the kernel answers before it asks a wall, and that is a no as well.
ANSWERS = {
    "clone3": {"ENOSYS"},  # hides its arguments from the filter; glibc takes clone() then
    "socket_netlink": {"EAFNOSUPPORT"},  # what the resolver is told in a process whose store is on PostgreSQL
    "write {bin}/fairway-break-in": {"ETXTBSY"},  # nobody writes to a program that runs
}
REFUSED = {"killed", "refused"}


def is_refused(attempt, argument, outcome):
    return outcome in REFUSED | ANSWERS.get(attempt, set()) | ANSWERS.get(f"{attempt} {argument}", set())


def compare(rows, outcome, lacking=None):
    """Every row against what came of it; what is wrong is said in words."""
    wrong, counts = [], {}
    for attempt, argument, who, may, why in rows:
        for process in who.split():
            found = outcome.get((process, attempt, argument), "nothing: it did not happen")
            allowed = process in may.split()
            good = found == "done" if allowed else is_refused(attempt, argument, found)
            if not good and lacking and lacking(attempt, argument, process):
                continue
            count = counts.setdefault(process, [0, 0, 0])
            count[0 if allowed else 1] += 1
            count[2] += found == "killed"
            if not good:
                wrong.append(f"{process}: {attempt} {argument} -> {found}; expected: "
                             f"{'done' if allowed else 'refused'} ({why})")
    for process, (done, refused, killed) in counts.items():
        print(f"# {process}: {refused} attempts refused ({killed} by its death), {done} that are its work", flush=True)
    assert not wrong, "\n" + "\n".join(wrong)


def by_landlock(attempt, argument, process):
    """Rows that only Landlock holds: the paths of processes that may open files."""
    return process in FILES.split() and attempt in ("read", "write", "create", "list", "unlink", "rename")


# ---- the walls ----

@scenario
def no_process_reaches_beyond_its_row(folder):
    lacking = None
    if landlock() < 1:
        print("# This kernel has no Landlock: what it would hold is not shown", flush=True)
        lacking = by_landlock
    compare(ROWS, try_all(BreakIn(folder), expand(ROWS)), lacking)


def rows_of_supervisor():
    for attempt, argument, _, _, why in ROWS:
        if attempt not in NOT_FOR_SUPERVISOR:
            may = SUPERVISOR_MAY.get(attempt, lambda path: False)(argument)
            yield attempt, argument, "supervisor", "supervisor" if may else "", why


@scenario
def the_supervisor_writes_nowhere_else_and_starts_nothing_else(folder):
    if os.geteuid() != 0:
        raise Skip("what the supervisor may as root is what the table tells")
    rows = list(rows_of_supervisor())
    broken = BreakIn(folder)
    broken.attempt(expand(rows))
    compare(rows, broken.outcome, (lambda a, t, p: a in ("write", "create", "execve")) if landlock() < 1 else None)


@scenario
def without_walls_the_same_attempts_succeed(folder):
    """the control: what is refused here too would prove nothing above"""
    broken = BreakIn(folder, walls_off=True)
    for process in WALLED.split():
        broken.attempt(expand(ROWS, [process]))
    supervisor = [row for row in rows_of_supervisor() if row[0] != "execve"]  # it would be gone
    broken.attempt(expand(supervisor))
    useless, absent = [], set()
    for attempt, argument, who, _, _ in ROWS + supervisor:
        for process in who.split():
            found = broken.outcome.get((process, attempt, argument), "nothing: it did not happen")
            if found == "ENOSYS":
                absent.add(attempt)
            elif found in REFUSED or found.startswith("nothing"):
                if os.geteuid() == 0 or attempt not in ROOT and argument != "/etc/shadow":
                    useless.append(f"{process}: {attempt} {argument} -> {found}")
    if absent:
        print(f"# this kernel has none of: {', '.join(sorted(absent))}", flush=True)
    assert not useless, "\n" + "\n".join(useless)


@scenario
def separate_users_hold_what_the_walls_hold_and_more(folder):
    """with walls, another's files are not even seen; without any, the users alone keep them"""
    if os.geteuid() != 0:
        raise Skip("only root starts processes as other users")
    (folder / "both").mkdir()
    (folder / "alone").mkdir()
    folder.chmod(0o755)
    seen = "{node}/protection/protection.db"
    rows = [(a, t, who, "protection" if a == "stat" and t == seen else may, why) for a, t, who, may, why in ROWS]
    compare(rows, try_all(BreakIn(folder / "both", users=True), expand(rows)), by_landlock if landlock() < 1 else None)
    rows = []
    for attempt, argument, who, _, why in ROWS:
        if attempt in BY_USERS and BY_USERS[attempt](argument):
            own = [p for p in FILES.split() if (argument + "/").startswith("{node}/" + p + "/") and attempt != "open_by_handle"]
            rows.append((attempt, argument, who, " ".join(own), why))
    assert {row[0] for row in rows} == set(BY_USERS)
    broken = BreakIn(folder / "alone", walls_off=True, users=True)
    for process in WALLED.split():
        broken.attempt(expand(rows, [process]))
    compare(rows, broken.outcome)


@scenario
def without_landlock_the_node_says_so_and_the_rest_holds(folder):
    if landlock() < 1:
        raise Skip("this kernel has none: the scenarios above have shown it")
    broken = BreakIn(folder, without_landlock=True)
    compare(ROWS, try_all(broken, expand(ROWS)), by_landlock)
    assert broken.outcome["strategic", "read", "{node}/protection/protection.db"] == "done", "it was not without"
    node = broken.node
    with node:
        node.start()
        said = [line for line in node.log_lines("sandbox.missing") if "Landlock" in line["msg"]]
        assert len(said) >= 5, said
        ready = node.nobody().get("/readyz").expect(200).body.decode()
        print(f"# /readyz: {ready.strip()[:200]}", flush=True)
        node.stop()
        node.set(process__sandbox="required")
        node.start(wait=False)
        assert node.process.wait(30) != 0, "it serves without a wall that is required"
        assert any("Landlock" in line.get("msg", "") for line in node.log_lines()), node.log_tail()


# ---- their words ----

@scenario
def no_process_speaks_for_another(folder):
    broken = BreakIn(folder)
    broken.wait_for_heads()
    wrong = []
    for attempt, argument, process, expected, why in MESSAGES:
        broken.attempt([(attempt, argument, process)])
        found = broken.outcome.get((process, attempt, argument), "nothing: it did not happen")
        if found != expected:
            wrong.append(f"{process}: {attempt} {argument} -> {found}; expected: {expected} ({why})")
    print(f"# {len(MESSAGES)} messages", flush=True)
    assert not wrong, "\n" + "\n".join(wrong)


@scenario
def a_broken_reader_fails_its_upload_and_nothing_else(folder):
    broken = BreakIn(folder)
    node, board = broken.node, broken.board
    board.uploads = True
    with node:
        node.start()
        officer = node.login("reporter")
        good = imported(officer, table([row(i) for i in range(20)]))
        assert good["state"] == "done" and good["added"] == 20, good
        before = {k: v for k, v in node.children().items() if k != "reader"}
        for attempt, argument, words, why in READER:
            broken.now = [(attempt, argument, "reader")]
            board.fill([(attempt, broken.argument(argument, "reader"), "reader")])
            board.head(True)
            done = imported(officer, table([row(100 + i) for i in range(20)]))
            assert done["state"] == "failed" and words in done["message"], (attempt, argument, done)
            print(f"# {attempt} {argument}: {done['message']}", flush=True)
            assert done["added"] == 0, (attempt, argument, done)
            assert board.of(0)[0] != OPEN, "the attempt was not made"
            assert {k: v for k, v in node.children().items() if k != "reader"} == before, f"{attempt} {argument} ended another"
            assert summary(officer)[0]["incidents"] == 20, f"{attempt} {argument} left something"
        board.fill([])
        good = imported(officer, table([row(200 + i) for i in range(20)]))
        assert good["state"] == "done" and good["added"] == 20, good
        officer.get("/api/session").expect(200)


@scenario
def a_vault_on_postgresql_connects_to_its_database_alone(folder):
    """the strategic vault, walled as if its store were at one port of this machine"""
    if landlock() < 4:
        raise Skip(f"Landlock of this kernel (version {landlock()}) does not know ports: version 4 does")
    other = socket.create_server(("127.0.0.1", 0), backlog=64)
    database = socket.create_server(("127.0.0.1", 0), backlog=64)
    broken = BreakIn(folder, connects=database.getsockname()[1])
    rows = [("connect_tcp", "127.0.0.1:%d" % database.getsockname()[1], "strategic", "strategic", "its database"),
            ("connect_tcp", "127.0.0.1:%d" % other.getsockname()[1], "strategic", "", "no other port"),
            ("connect_fast", "127.0.0.1:%d" % other.getsockname()[1], "strategic", "", "not by TCP Fast Open either"),
            ("connect_tcp", "192.0.2.1:443", "strategic", "", "nowhere else"),
            ("udp", "127.0.0.1:53", "strategic", "", "not by UDP either"),
            ("connect_unix", "{out}/socket", "strategic", "", "no service of the machine"),
            ("connect_unix", "@{abstract}", "strategic", "", "no service of the machine"),
            ("listen", "", "strategic", "", "no door of its own"),
            ("socket_filter", "", "strategic", "", "no program inside the kernel")]
    more = [r for r in ROWS if (r[0], r[1]) not in {(x[0], x[1]) for x in rows} and r[0] not in ("socket_tcp", "connect_own")]
    rows += [(a, t, "strategic", may, why) for a, t, who, may, why in more if "strategic" in who.split()]
    compare(rows, try_all(broken, expand(rows)))


if __name__ == "__main__":
    main()
