# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node for scenario tests: made in a folder of its own, served, asked, killed.

    from node import Node, scenario, main

    @scenario
    def an_officer_logs_in(folder):
        with Node(folder) as node:
            officer = node.login("reporter")
            answer = officer.get("/api/session")
            assert answer.status == 200, answer

    main()

Actors: node.login(ACCOUNT) gives a Session (a browser with cookie and CSRF
token; bearer=True: a program with a token), node.nobody() one without a
session, node.cli(...) the command line.  The clock: node.restart(clock=3600).
Death: node.kill("strategic").  Accounts of a demonstration node all have the
password DEMO; second factors are set up and given as the node asks for them.

The program comes from FAIRWAY_PROGRAM, else from FAIRWAY_BUILD.  With
FAIRWAY_LONG set, long() is true and counts may be higher.  Only the standard
library is used.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

DEMO = "fairway-exercise"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
WORKERS = ["house", "strategic", "operational", "protection"]
PROCESSES = ["front", "keeper"] + WORKERS
# Tests must not wait for what protects people: those that test it say otherwise.
SETTINGS = {"session.factor": "optional", "http.login_rate": "0", "http.address_rate": "0", "http.session_rate": "0"}


class Skip(Exception):
    """A scenario that cannot run here; its words say why."""


def program():
    path = os.environ.get("FAIRWAY_PROGRAM")
    if not path:
        build = pathlib.Path(os.environ.get("FAIRWAY_BUILD", SOURCE / "build"))
        path = build / "src" / "cmd" / "fairway"
    if not os.access(path, os.X_OK):
        raise SystemExit(f"no program at {path}: set FAIRWAY_PROGRAM or FAIRWAY_BUILD")
    return str(path)


def long():
    return bool(os.environ.get("FAIRWAY_LONG"))


def until(what, seconds=10, every=0.02):
    """Wait until what() is true and return its value."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {getattr(what, '__doc__', None) or what}")
        time.sleep(every)


def totp(secret, at=None):
    """The six digits of RFC 6238 for a base32 secret."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int((time.time() if at is None else at) // 30)
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem, or None."""
        try:
            return self.json().get("code")
        except (ValueError, AttributeError):
            return None

    def expect(self, *statuses):
        assert self.status in (statuses or (200,)), self
        return self

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Session:
    """One client: keeps its cookie or token, sends the CSRF token with what changes something."""

    def __init__(self, node, bearer=False):
        self.node, self.bearer, self.token, self.csrf, self.account = node, bearer, None, None, None

    def request(self, method, path, body=None, headers=None, timeout=40, upload=None, csrf=True):
        """body: an object to be sent as JSON. upload: bytes, sent as they are."""
        sent = {}
        if self.token and self.bearer:
            sent["Authorization"] = "Bearer " + self.token
        elif self.token:
            sent["Cookie"] = "fairway_session=" + self.token
        if csrf and self.csrf and not self.bearer and method not in ("GET", "HEAD"):
            sent["X-Fairway-CSRF"] = self.csrf
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        elif upload is not None:
            data = upload
            sent["Content-Type"] = "application/octet-stream"
        elif method in ("POST", "PUT"):
            data = b""
        sent.update(headers or {})
        connection = self.node.connection(timeout)
        try:
            connection.request(method, path, body=data, headers=sent)
            reply = connection.getresponse()
            answer = Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()
        self._keep(answer)
        return answer

    def _keep(self, answer):
        m = re.match(r"fairway_session=([^;]*)", answer.headers.get("set-cookie", ""))
        if m:
            self.token = m.group(1) or None
        if "json" in answer.headers.get("content-type", ""):
            try:
                value = answer.json()
            except ValueError:
                return
            if isinstance(value, dict) and value.get("csrf"):
                self.csrf = value["csrf"]

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def log_in(self, account, password=DEMO):
        """Until the session is open; the node's word for what is owed decides what comes next."""
        self.account = account
        answer = self.post("/api/session", {"account": account, "password": self.node.passwords.get(account, password)})
        answer.expect(200)
        for _ in range(6):
            state = answer.json().get("state")
            if state == "open":
                return self
            answer = getattr(self, "_" + state)(account)
        raise AssertionError(f"the log-in of {account} does not end: {answer}")

    def _change_password(self, account):
        old = self.node.passwords.get(account, DEMO)
        new = "changed-" + hashlib.sha256((account + old).encode()).hexdigest()[:20]
        answer = self.post("/api/account/password", {"old": old, "new": new}).expect(200)
        self.node.passwords[account] = new
        return answer

    def _enrol(self, account):
        secret = self.post("/api/account/factor").expect(200).json()["secret"]
        self.node.secrets[account] = secret
        self.post("/api/account/factor/confirm", {"code": totp(secret, self.node.now())}).expect(200)
        return self.get("/api/session").expect(200)

    def _second_factor(self, account):
        # A code is taken once: wait for the next one if this one was given already.
        used = self.node.codes_used.setdefault(account, set())
        code = until(lambda: (lambda c: None if c in used else c)(totp(self.node.secrets[account], self.node.now())), 35, 0.5)
        used.add(code)
        return self.post("/api/session/factor", {"code": code}).expect(200)

    def log_out(self):
        return self.delete("/api/session")


class Node:
    """A node in ${folder}/node. Settings by name: {"session.idle_minutes": "5"}."""

    def __init__(self, folder, settings=None, exercise=True, init=(), name="Test node", start=True, env=None, options=()):
        self.folder = pathlib.Path(folder)
        self.dir = self.folder / "node"
        self.settings = dict(SETTINGS, **(settings or {}))
        self.exercise, self.init_options, self.name, self.options = exercise, list(init), name, list(options)
        self.env = dict(os.environ, **(env or {}))
        self.passwords, self.secrets, self.codes_used = {}, {}, {}
        self.clock, self.process, self.address, self.auto = 0, None, None, start
        self.log_path, self.log_from = self.folder / "log.jsonl", 0

    def __enter__(self):
        if not self.dir.exists():
            self.init()
        if self.auto:
            self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- making ----

    def init(self):
        command = [program(), "init", str(self.dir), "--name", self.name, "--json"] + self.init_options
        if self.exercise:
            command.append("--exercise")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env)
        if done.returncode != 0:
            raise AssertionError(f"init ended with {done.returncode}: {done.stderr}")
        self.made = json.loads(done.stdout)
        self.passwords = {a["account"]: a["password"] for a in self.made["accounts"]}
        self.set(**{k.replace(".", "__"): v for k, v in self.settings.items()})
        return self.made

    def set(self, **settings):
        """Change fairway.conf: set(session__idle_minutes=5). For the next start."""
        conf = self.dir / "fairway.conf"
        text = conf.read_text()
        for name, value in settings.items():
            section, key = name.split("__")
            part = re.compile(r"(^\[%s\]\n(?:(?!^\[).*\n)*?)^#?%s =.*$" % (section, key), re.M)
            text, n = part.subn(lambda m: f"{m.group(1)}{key} = {value}", text)
            assert n == 1, f"no setting {section}.{key}"
        conf.write_text(text)

    # ---- serving ----

    def start(self, clock=None, wait=True, seconds=60):
        assert self.process is None, "it is running"
        if clock is not None:
            self.clock = clock
        env = dict(self.env)
        if self.clock:
            env["FAIRWAY_TEST_CLOCK"] = str(int(self.clock * 1000000))
        self.log = open(self.log_path, "ab")
        self.log_from = self.log.tell()
        listen = [] if "--listen" in self.options else ["--listen", "127.0.0.1:0"]
        self.started = time.monotonic()
        self.process = subprocess.Popen([program(), "serve", str(self.dir)] + listen + self.options, env=env,
                                        stdout=subprocess.PIPE, stderr=self.log)
        _running.add(self)
        if not wait:
            return self
        said = ""
        end = time.monotonic() + seconds
        while "Ready on" not in said or not said.endswith("\n"):
            if select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                more = os.read(self.process.stdout.fileno(), 4096)
                said += more.decode()
            if not more or time.monotonic() > end:
                code = self.process.poll()
                self.stop()
                raise AssertionError(f"the node did not start (status {code}):\n{self.log_tail()}")
        self.ready_after = time.monotonic() - self.started
        self.address = said.split("Ready on", 1)[1].split()[0]
        return self

    def stop(self, seconds=20):
        """In good order. Returns the exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        _running.discard(self)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the node did not end within {seconds} s:\n{self.log_tail()}")
        finally:
            process.stdout.close()
            self.log.close()
        return process.returncode

    def crash(self):
        """kill -9 of the supervisor; its children die with it."""
        process, self.process = self.process, None
        _running.discard(self)
        process.kill()
        process.wait()
        process.stdout.close()
        self.log.close()

    def restart(self, clock=None):
        if self.process is not None:
            self.stop()
        return self.start(clock)

    def now(self):
        """The node's time, in seconds."""
        return time.time() + self.clock

    # ---- its processes ----

    def children(self):
        """pid by name; readers are a list under "reader"."""
        found = {"reader": []}
        if self.process is None:
            return found
        try:
            text = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return found
        for pid in map(int, text.split()):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[1] == b"--process":
                name = words[2].decode()
                if name == "reader":
                    found["reader"].append(pid)
                else:
                    found[name] = pid
        return found

    def pid(self, name):
        return self.process.pid if name == "supervisor" else self.children().get(name)

    def kill(self, name, how=signal.SIGKILL):
        """Returns whether there was one."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            return False
        return True

    def resident(self):
        """Bytes of memory of every process that is its own or shared, by name: RSS as ps shows it."""
        pids = {k: v for k, v in self.children().items() if k != "reader"}
        pids["supervisor"] = self.process.pid
        size = {}
        for name, pid in pids.items():
            m = re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
            size[name] = int(m.group(1)) * 1024 if m else 0
        return size

    # ---- asking it ----

    def connection(self, timeout=40):
        if self.address.startswith("unix:"):
            connection = http.client.HTTPConnection("localhost", timeout=timeout)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(timeout)
            connection.sock.connect(self.address[5:])
            return connection
        host, port = self.address.removeprefix("http://").rsplit(":", 1)
        return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)

    def nobody(self):
        return Session(self)

    def login(self, account, password=DEMO, bearer=False):
        return Session(self, bearer).log_in(account, password)

    def is_ready(self):
        """/readyz says that every process serves"""
        try:
            return self.nobody().get("/readyz", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self, seconds=20):
        until(self.is_ready, seconds)

    def cli(self, *words, session=None, status=0, input=None, env=None):
        """A subcommand. ${session}: whose token it uses. status None: any. Returns what it printed, as subprocess does."""
        more = dict(self.env, FAIRWAY_NODE=self.address or "", **(env or {}))
        state = self.folder / ("state-" + (session.account if session else "none"))
        more["XDG_STATE_HOME"] = str(state)
        if session is not None:
            place = state / "fairway" / "session"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{self.address} {session.token}\n")
            place.chmod(0o600)
        done = subprocess.run([program(), *map(str, words)], env=more, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              input=input, text=not isinstance(input, bytes))
        if status is not None and done.returncode != status:
            raise AssertionError(f"fairway {' '.join(map(str, words))}: status {done.returncode}, expected {status}\n"
                                 f"{done.stdout}\n{done.stderr}")
        return done

    # ---- its log ----

    def log_lines(self, event=None):
        """What it logged since its last start, as objects."""
        rows = []
        for line in self.log_path.read_bytes()[self.log_from:].splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                row = {"event": "?", "msg": line.decode(errors="replace")}
            if event is None or row.get("event") == event:
                rows.append(row)
        return rows

    def log_tail(self, n=25):
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-n:])
        except OSError:
            return ""


# ---- the runner ----

_scenarios = []
_running = set()


def scenario(function):
    """A function of one argument, a folder of its own; its name and first line say what it shows."""
    _scenarios.append(function)
    return function


def main():
    """Run them all, or those named on the command line; print TAP."""
    chosen = [s for s in _scenarios if len(sys.argv) < 2 or s.__name__ in sys.argv[1:]]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, run in enumerate(chosen, 1):
        name = run.__name__.replace("_", " ")
        folder = tempfile.mkdtemp(prefix="fairway-")
        try:
            run(pathlib.Path(folder))
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # what a scenario throws is its failure
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            log = pathlib.Path(folder) / "log.jsonl"
            if log.exists():
                for line in log.read_text(errors="replace").splitlines()[-30:]:
                    print("# log: " + line[:400])
            print(f"not ok {number} - {name}", flush=True)
        finally:
            for node in list(_running):
                node.crash()
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
