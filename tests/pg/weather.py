#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad weather between a program and PostgreSQL.

    with_postgres.py weather.py [--seed N] [--every N] [--storm serial|lines|all] [--least N] [--writes] COMMAND [ARG ...]

A proxy on a Unix socket of its own that understands the frames of protocol 3
and, by seed, about once in so many messages that may fail (--every), makes
one of these happen:

    serial   the statement, or the COMMIT, fails with 40001 or 40P01
    lines    the connection ends before the message reached the server, or just after;
             or the server says 08006 and lives on
    and at a COMMIT, further:
             it is kept, and the connection ends before the answer comes; or the
             answer is 08006, 08007, 40003 (an error, the connection lives) or 57P01 (FATAL)

With --writes collisions happen only between BEGIN and COMMIT of transactions
that write, as in suites whose own looking is not done again; and at most two in
a row, so that a transaction of a thousand statements comes to its end.

Errors are the server's own: the message is replaced by one that cannot work,
and the code of its answer is changed.  So the server's transaction is aborted
as a real collision would abort it, what was pipelined behind is passed over
by the server itself, and no answer is out of order.

The command finds the weather in FAIRWAY_TEST_PG (and _SERVER), and the way
past it in FAIRWAY_TEST_PG_DIRECT.  At the end one line "# weather: ..." says
what was done; if it was less than --least, the status is 1: a test that met
no storm has shown nothing.
"""
import argparse
import collections
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading

MARK = b"fairway_bad_weather"
SERIAL = [("40001", "could not serialize access"), ("40P01", "deadlock detected")]
LINE = [("08006", "connection failure")]
UNSURE = [("08006", "connection failure"), ("08007", "transaction resolution unknown"), ("40003", "statement completion unknown")]


def frame(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def error(state, words, severity="ERROR"):
    fields = [("S", severity), ("V", severity), ("C", state), ("M", words)]
    return frame(b"E", b"".join(k.encode() + v.encode() + b"\0" for k, v in fields) + b"\0")


def take(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def take_frame(sock):
    head = take(sock, 5)
    return head[:1], take(sock, struct.unpack(">I", head[1:])[0] - 4)


class Line:
    """One connection. Faults are planned by the client's side and finished by the server's."""

    def __init__(self, sky, number, client, server):
        self.sky, self.client, self.server = sky, client, server
        self.dice = random.Random(f"{sky.seed}/{number}")
        self.in_write, self.in_a_row = False, 0
        self.state = None     # (code, words) that the next marked error gets
        self.drop_tag = False  # of the ROLLBACK that stands for a COMMIT
        self.at_ready = None  # what the client gets instead of the answer to COMMIT; b"": the end

    def end(self):
        for sock in (self.client, self.server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def run(self, way):
        try:
            way()
        except (EOFError, OSError):
            pass
        self.end()

    def from_client(self):
        while True:
            size = struct.unpack(">I", take(self.client, 4))[0]
            body = take(self.client, size - 4)
            if struct.unpack(">I", body[:4])[0] not in (80877103, 80877104):
                break
            self.client.sendall(b"N")  # neither TLS nor GSSAPI here
        self.server.sendall(struct.pack(">I", size) + body)
        threading.Thread(target=self.run, args=(self.from_server,), daemon=True).start()
        while True:
            kind, body = take_frame(self.client)
            if not self.forward(kind, body):
                return

    def forward(self, kind, body):
        """False: the connection ends."""
        commit = kind == b"Q" and body == b"COMMIT\0"
        if kind == b"Q":
            commit = commit and (self.in_write or not self.sky.writes)
            begins = body.startswith(b"BEGIN") and b"READ ONLY" not in body
            self.in_write = begins or (self.in_write and not body.startswith((b"COMMIT", b"ROLLBACK\0")))
        may = kind in b"QEP" and (not self.sky.writes or ((self.in_write or commit) and self.in_a_row < 2))
        what = self.sky.fault(self.dice, commit) if may else None
        self.in_a_row = 0 if commit and what is None else self.in_a_row + (what is not None)
        if what is None:
            self.server.sendall(frame(kind, body))
        elif what in ("serial", "line-error"):
            self.state = self.dice.choice(SERIAL if what == "serial" else LINE)
            if commit:
                self.drop_tag = True
                self.server.sendall(frame(b"Q", b"ROLLBACK; SELECT " + MARK + b"\0"))
            elif kind == b"Q":
                self.server.sendall(frame(b"Q", MARK + b"\0"))
            else:
                self.server.sendall(frame(b"P", b"\0" + MARK + b"\0\0\0"))
        elif what == "cut-before":
            return False
        elif what == "cut-race":
            self.server.sendall(frame(kind, body))
            return False
        else:
            self.at_ready = {"kept-cut": b"", "kept-fatal": error("57P01", "terminating connection", "FATAL"),
                             "kept-error": error(*self.dice.choice(UNSURE))}[what]
            self.server.sendall(frame(kind, body))
        return True

    def from_server(self):
        while True:
            kind, body = take_frame(self.server)
            if self.at_ready is not None:
                if kind != b"Z":
                    continue
                self.client.sendall(self.at_ready)
                if not self.at_ready or b"FATAL" in self.at_ready:
                    return
                self.at_ready = None
            elif kind == b"E" and MARK in body and self.state is not None:
                self.client.sendall(error(*self.state))
                self.state = None
                continue
            elif kind == b"C" and self.drop_tag:
                self.drop_tag = False
                continue
            self.client.sendall(frame(kind, body))


class Sky:
    def __init__(self, seed, every, storm, writes):
        self.seed, self.every, self.storm, self.writes = seed, every, storm, writes
        self.done, self.lock = collections.Counter(), threading.Lock()
        self.messages = 0

    def fault(self, dice, commit):
        with self.lock:
            self.messages += 1
        # A COMMIT is where it matters, and there are few of them.
        if dice.random() >= (3 if commit else 1) / self.every:
            return None
        kinds = []
        if self.storm in ("serial", "all"):
            kinds += ["serial"] * 4
        if self.storm in ("lines", "all"):
            kinds += ["line-error", "cut-before", "cut-race"]
            kinds += ["kept-cut", "kept-fatal", "kept-error"] if commit else []
        what = dice.choice(kinds)
        with self.lock:
            self.done[what + (" at commit" if commit else "")] += 1
        return what


def serve(sky, place, behind):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen(50)

    def accept():
        number = 0
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(behind)
            except OSError:
                client.close()
                continue
            number += 1
            line = Line(sky, number, client, server)
            threading.Thread(target=line.run, args=(line.from_client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--storm", choices=["serial", "lines", "all"], default="all")
    parser.add_argument("--least", type=int, default=20)
    parser.add_argument("--writes", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    direct = os.environ.get("FAIRWAY_TEST_PG")
    if not direct:
        print("1..0 # SKIP run this under with_postgres.py")
        return 0
    behind = direct.split("host=", 1)[1].split("&")[0]
    sky = Sky(given.seed, given.every, given.storm, given.writes)
    with tempfile.TemporaryDirectory(prefix="fairway-sky-", dir="/tmp") as folder:
        pathlib.Path(folder).chmod(0o755)
        serve(sky, f"{folder}/.s.PGSQL.5432", f"{behind}/.s.PGSQL.5432")
        env = dict(os.environ, FAIRWAY_TEST_PG_DIRECT=direct)
        for name in ("FAIRWAY_TEST_PG", "FAIRWAY_TEST_PG_SERVER", "FAIRWAY_TEST_PG_BASE"):
            if name in env:
                env[name] = env[name].replace(behind, folder)
        status = subprocess.run(given.command, env=env).returncode
    done = ", ".join(f"{n} {what}" for what, n in sorted(sky.done.items()))
    print(f"# weather: seed {given.seed}, {sky.messages} messages that could fail: {done}", flush=True)
    if status == 0 and sum(sky.done.values()) < given.least:
        print(f"# fewer than {given.least} faults: nothing was shown")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
