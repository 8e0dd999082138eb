#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The program's commands as a person or a script meets them, against a made-up node that answers what it is told to."""
import http.server
import json
import os
import pathlib
import shutil
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAIRWAY = pathlib.Path(os.environ.get("FAIRWAY_BUILD", ROOT / "build")) / "src" / "cmd" / "fairway"
sys.path.insert(0, str(ROOT / "tools"))
import tables  # noqa: E402

T = tables.load(ROOT / "src" / "tbl")
EXIT = {e.name: e.status for e in T.exits}
ID = "01928374-1111-7222-8333-444455556666"


class Node(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """answers: {"METHOD /path": [(status, body), ...]}, each used once, the last one again and again."""
    daemon_threads = True

    def __init__(self, path, answers):
        self.answers, self.seen, self.path = answers, [], path
        super().__init__(path, Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            out = b""
            while True:
                n = int(self.rfile.readline(), 16)
                out += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return out
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self):
        body = self.body()
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        queue = self.server.answers.get(f"{self.command} {self.path.split('?')[0]}")
        status, out, *more = (queue.pop(0) if len(queue) > 1 else queue[0]) if queue else (404, problem("not here"))
        headers = more[0] if more else {}
        data = out if isinstance(out, bytes) else json.dumps(out).encode() if out is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json" if status >= 400 else "application/json")
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = answer


def problem(title, **more):
    return {"type": "/problems/x", "title": title, "status": 400, "code": "FW_EINVALID", **more}


def session(state="open"):
    return {"state": state, "csrf": "x", "account": "rahma", "account_id": ID, "display": "Rahma", "agency": "A",
            "node_name": "Post 7", "node_state": "", "exercise": True, "vaults": [], "idle_until": "2026-11-25T04:57:03Z",
            "expires": "2026-11-25T16:57:03Z"}


COOKIE = {"Set-Cookie": "fairway_session=tok-en_1; Path=/; HttpOnly; SameSite=Strict"}


@unittest.skipUnless(FAIRWAY.exists(), f"{FAIRWAY} is not built")
class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fw"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.state = self.folder / "state"
        self.nodes = 0

    def node(self, answers):
        self.nodes += 1
        node = Node(str(self.folder / f"s{self.nodes}"), answers)
        self.addCleanup(node.server_close)
        self.addCleanup(node.shutdown)
        self.address = "unix:" + node.path
        return node

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run_fairway(self, *words, status=0, stdin=b"", address=True):
        env = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(self.state), "HOME": str(self.folder)}
        if "ASAN_OPTIONS" in os.environ:
            env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        if address and hasattr(self, "address"):
            env["FAIRWAY_NODE"] = self.address
        run = subprocess.run([FAIRWAY, *words], input=stdin, capture_output=True, env=env, timeout=30)
        if status is not None:
            self.assertEqual(run.returncode, status, (words, run.stdout, run.stderr))
        self.assertNotIn(b"ERROR: AddressSanitizer", run.stderr)
        return run.stdout.decode(), run.stderr.decode()

    def login(self):
        token = self.state / "fairway" / "session"
        token.parent.mkdir(parents=True, exist_ok=True)
        token.write_text(f"{self.address} tok-en_1\n")


class Words(Case):
    def test_help_for_every_row(self):
        self.run_fairway("help")
        self.run_fairway("--help")
        for c in T.commands:
            words = [c.command] + ([c.verb] if c.verb else [])
            by_flag, _ = self.run_fairway(*words, "--help")
            by_command, _ = self.run_fairway("help", *words)
            self.assertEqual(by_flag, by_command)
            for o in c.options:
                self.assertIn("--" + o.name, by_flag)
            for a in c.arguments:
                self.assertIn(a.name, by_flag)

    def test_what_is_not_understood(self):
        _, err = self.run_fairway("reprot", status=EXIT["usage"])
        self.assertIn("did you mean report?", err)
        _, err = self.run_fairway("report", "lst", status=EXIT["usage"])
        self.assertIn("did you mean list?", err)
        _, err = self.run_fairway("report", "list", "--limt", "5", status=EXIT["usage"])
        self.assertIn("did you mean --limit?", err)
        self.run_fairway(status=EXIT["usage"])
        _, err = self.run_fairway("report", "list", "--limit", "0", "--json", status=EXIT["usage"])
        self.assertEqual(json.loads(err)["code"], "FW_EINVALID")

    def test_version(self):
        out, _ = self.run_fairway("version", "--json")
        self.assertIn("sqlite", json.loads(out))
        self.assertTrue(self.run_fairway("--version")[0].startswith("fairway "))

    def complete(self, *words):
        script, _ = self.run_fairway("completion", "bash")
        line = " ".join(f"'{w}'" for w in words)
        run = subprocess.run(["bash", "-c", script + f"\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _fairway; "
                              'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(run.stderr, "")
        return run.stdout.split()

    def test_completion(self):
        self.file("a-file", "")
        self.assertEqual(self.complete("fairway", "rep"), ["report"])
        self.assertEqual(self.complete("fairway", "report", "imp"), ["import", "imports"])
        self.assertIn("--layout", self.complete("fairway", "report", "import", "--"))
        self.assertEqual(self.complete("fairway", "report", "export", "--format", "g"), ["geojson"])
        self.assertEqual(self.complete("fairway", "report", "import", "a-f"), ["a-file"])
        self.run_fairway("completion", "fish", status=EXIT["invalid"])


class Sessions(Case):
    def test_log_in_keeps_the_token_for_the_next_command(self):
        node = self.node({"POST /api/session": [(200, session(), COOKIE)], "GET /api/agencies": [(200, {"agencies": []})]})
        out, _ = self.run_fairway("user", "login", "rahma", "--password-file", self.file("p", "a secret of hers\n"))
        self.assertIn("Post 7", out)
        self.assertIn("exercise", out)
        self.assertEqual(json.loads(node.seen[0][3]), {"account": "rahma", "password": "a secret of hers"})
        kept = self.state / "fairway" / "session"
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(kept.parent.stat().st_mode), 0o700)
        self.run_fairway("user", "agencies")
        self.assertEqual(node.seen[1][2]["Authorization"], "Bearer tok-en_1")

    def test_token_of_one_node_does_not_go_to_another(self):
        self.node({})
        self.login()
        other = self.node({"GET /api/agencies": [(200, {"agencies": []})]})
        self.run_fairway("user", "agencies")
        self.assertNotIn("Authorization", other.seen[0][2])

    def test_second_factor(self):
        node = self.node({"POST /api/session": [(200, session("second_factor"), COOKIE)],
                          "POST /api/session/factor": [(200, session())]})
        self.run_fairway("user", "login", "rahma", "--password-file", self.file("p", "x\n"), "--code", "123456")
        self.assertEqual(json.loads(node.seen[1][3]), {"code": "123456"})
        self.assertEqual(node.seen[1][2]["Authorization"], "Bearer tok-en_1")

    def test_first_log_in_changes_the_password(self):
        newer = {"Set-Cookie": "fairway_session=newer; Path=/"}
        node = self.node({"POST /api/session": [(200, session("change_password"), COOKIE)],
                          "POST /api/account/password": [(200, session(), newer)]})
        self.run_fairway("user", "login", "rahma", "--password-file", self.file("p", "old one\n"),
                         "--new-password-file", self.file("n", "the new password\n"))
        self.assertEqual(json.loads(node.seen[1][3]), {"old": "old one", "new": "the new password"})
        self.assertIn(" newer\n", (self.state / "fairway" / "session").read_text())

    def test_wrong_password(self):
        self.node({"POST /api/session": [(401, problem("Account or password is wrong"))]})
        _, err = self.run_fairway("user", "login", "rahma", "--password-file", self.file("p", "x\n"), status=EXIT["login"])
        self.assertNotIn("Traceback", err)
        self.assertFalse((self.state / "fairway" / "session").exists())

    def test_log_out_forgets_the_token(self):
        self.node({"DELETE /api/session": [(204, None)]})
        self.login()
        self.run_fairway("user", "logout")
        self.assertEqual((self.state / "fairway" / "session").read_text(), "")


class Answers(Case):
    def test_each_status_has_its_exit(self):
        for status, name in ((400, "invalid"), (401, "login"), (403, "denied"), (404, "not_found"), (409, "conflict"),
                             (422, "invalid"), (429, "busy"), (503, "busy"), (500, "failed")):
            self.node({"GET /api/agencies": [(status, problem("Title here", detail="what was expected", place="people[3].count"))]})
            self.login()
            _, err = self.run_fairway("user", "agencies", status=EXIT[name])
            self.assertIn("people[3].count", err)
            self.assertIn("what was expected", err)
            _, err = self.run_fairway("user", "agencies", "--json", status=EXIT[name])
            self.assertEqual(json.loads(err)["place"], "people[3].count")

    def test_nobody_there(self):
        _, err = self.run_fairway("user", "agencies", "--node", f"unix:{self.folder}/nothing", status=EXIT["unreachable"])
        self.assertIn("does not answer", err)

    def test_addresses(self):
        for node in ("http://node.example/", "http://127.0.0.1.node.example", "http://localhost@node.example",
                     "http://127.0.0.1:80@node.example", "ftp://127.0.0.1", "node.example"):
            _, err = self.run_fairway("user", "agencies", "--node", node, status=EXIT["invalid"])
            self.assertRegex(err, "https://")
        self.run_fairway("user", "agencies", "--node", "http://127.0.0.1:1", status=EXIT["unreachable"])
        self.run_fairway("user", "agencies", "--node", "http://[::1]:1", status=EXIT["unreachable"])

    def test_list_follows_the_pages(self):
        def row(n):
            return {"id": ID, "number": str(n), "from": "2026-11", "status": "x", "type": "x", "dead": "unknown",
                    "missing": 3, "survivors": "not_collected", "persons": 1}
        pages = [(200, {"incidents": [row(i) for i in range(200)], "next": "m a&rk", "total": 250, "excluded": 7}),
                 (200, {"incidents": [row(i) for i in range(50)], "total": 250, "excluded": 7})]
        node = self.node({"GET /api/report/incidents": pages})
        self.login()
        out, err = self.run_fairway("report", "list", "--limit", "1000", "--route", "a,b")
        self.assertEqual(out.count("\n"), 250)
        self.assertIn("unknown", out)
        self.assertIn("leaves out 7", err)
        self.assertIn("after=m%20a%26rk", node.seen[1][1])
        self.assertIn("route=a%2Cb", node.seen[1][1])

    def test_show_in_words(self):
        self.node({f"GET /api/report/incidents/{ID}": [(200, {"id": ID, "people": [{"count": "unknown"}], "causes": []})]})
        self.login()
        out, _ = self.run_fairway("report", "show", ID)
        self.assertIn("people:\n  1.\n    count: unknown\ncauses: none\n", out)


class Import(Case):
    def state_of(self, state, **more):
        return {"id": ID, "file": "a.csv", "state": state, "bytes": 9, "bytes_read": 9, "rows": 3, "added": 2, "changed": 0,
                "same": 0, "refused": 0, "flagged": 0, "started": "2026-11-25T04:57:03Z", "problems": [], **more}

    def test_good_rows_in_bad_rows_back(self):
        end = self.state_of("done", refused=1, problems=[{"row": 3, "column": "date", "text": "a date", "stops": True}])
        node = self.node({"POST /api/report/imports": [(202, self.state_of("queued"))],
                          f"GET /api/report/imports/{ID}": [(200, self.state_of("running")), (200, end)],
                          f"GET /api/report/imports/{ID}/refused": [(200, b"row,reason\n3,a date\n")]})
        self.login()
        path = self.file("a b.csv", "x,y\n1,2\n")
        out, _ = self.run_fairway("report", "import", path, status=EXIT["partly"])
        self.assertEqual(node.seen[0][3], b"x,y\n1,2\n")
        self.assertEqual(node.seen[0][2]["Content-Type"], "application/octet-stream")
        self.assertIn("file=a%20b.csv", node.seen[0][1])
        self.assertEqual(pathlib.Path(path + ".refused.csv").read_bytes(), b"row,reason\n3,a date\n")
        self.assertIn("row 3, date: a date (refused)", out)

    def test_from_standard_input(self):
        node = self.node({"POST /api/report/imports": [(202, self.state_of("queued"))]})
        self.login()
        data = b"0123456789" * 30000
        self.run_fairway("report", "import", "-", "--name", "piped", "--no-wait", stdin=data)
        self.assertEqual(node.seen[0][3], data)
        self.assertIn("file=piped", node.seen[0][1])

    def test_a_file_that_is_not_there(self):
        self.node({})
        _, err = self.run_fairway("report", "import", str(self.folder / "none"), status=EXIT["failed"])
        self.assertIn("cannot open", err)

    def test_failed(self):
        self.node({"POST /api/report/imports": [(202, self.state_of("queued"))],
                   f"GET /api/report/imports/{ID}": [(200, self.state_of("failed", message="the reader died"))]})
        self.login()
        out, _ = self.run_fairway("report", "import", self.file("a", "x"), status=EXIT["failed"])
        self.assertIn("the reader died", out)


class Export(Case):
    def test_purpose_and_bytes(self):
        node = self.node({"GET /api/report/export": [(200, b"a,b\n1,2\n")]})
        self.login()
        out = self.folder / "out.csv"
        self.run_fairway("report", "export", "--format", "csv", "-p", "statistics", "-o", str(out))
        self.assertEqual(out.read_bytes(), b"a,b\n1,2\n")
        self.assertEqual(node.seen[0][2]["X-Fairway-Purpose"], "statistics")

    def test_an_answer_cut_short_is_noticed(self):
        self.node({"GET /api/report/export": [(200, b"a,b\n1", {"Content-Length": "100"})]})
        self.login()
        _, err = self.run_fairway("report", "export", "--format", "csv", "-p", "statistics", "-o",
                                  str(self.folder / "o"), status=EXIT["failed"])
        self.assertIn("cut its answer short", err)

    def test_a_refusal_does_not_go_into_the_file(self):
        self.node({"GET /api/report/export": [(403, problem("Not permitted"))]})
        self.login()
        out, _ = self.run_fairway("report", "export", "--format", "csv", "-p", "statistics", status=EXIT["denied"])
        self.assertEqual(out, "")


class Ledger(Case):
    def test_verify_against_all_of_this_vault(self):
        verdict = {"verified": False, "words": "row 5 was changed", "entries": 9, "waiting": 0, "erased": 0, "checkpoints": 2,
                   "tail_lost": False}
        node = self.node({"POST /api/strategic/ledger/verify": [(200, verdict)]})
        self.login()

        def mark(vault, size):
            return f"fairway.example/7/{vault}\n{size}\nROOT=\n\n\u2014 fairway.example/7/{vault} SIG{size}\n"
        kept = self.file("kept", "\n".join([mark("strategic", 1), mark("house", 7), mark("strategic", 3), mark("house", 9)]))
        out, _ = self.run_fairway("ledger", "verify", "--vault", "strategic", "--against", kept, status=EXIT["unverified"])
        self.assertIn("row 5 was changed", out)
        self.assertEqual(json.loads(node.seen[0][3])["outside"],
                         mark("strategic", 1) + "\n" + mark("strategic", 3) + "\n")
        self.assertIn("compared with 2 kept elsewhere", out)
        self.run_fairway("ledger", "verify", "--vault", "protection", "--against", kept, status=EXIT["invalid"])

    def test_checkpoint_is_appended(self):
        self.node({"GET /api/house/ledger": [(200, {"entries": [], "checkpoint": "a\n1\nR\n\n\u2014 a S\n"})]})
        self.login()
        kept = self.folder / "kept"
        for _ in range(2):
            self.run_fairway("ledger", "checkpoint", "--vault", "house", "-o", str(kept))
        self.assertEqual(kept.read_text(), "a\n1\nR\n\n\u2014 a S\n\n" * 2)


class Doctor(Case):
    def make(self, conf=""):
        d = self.folder / "node"
        for name in ("keys", "house", "strategic", "operational", "protection", "keeper"):
            (d / name).mkdir(parents=True, mode=0o700, exist_ok=True)
        for name in ("house", "strategic", "operational", "protection"):
            (d / name / f"{name}.db").write_bytes(b"x")
            (d / name / f"{name}.db").chmod(0o600)
        for name, text in (("keys/node.key", "k"), ("keys/custodians.pub", "k"),
                           ("fairway.conf", "[node]\nname = Post 7\norigin = fairway.example/7\n[http]\n"
                            f"listen = unix:{self.folder}/none\ntls = yes\n" + conf)):
            (d / name).write_text(text)
            (d / name).chmod(0o600)
        return d

    def findings(self, d):
        out, _ = self.run_fairway("doctor", str(d), "--json", status=None)
        got = json.loads(out)
        return [f for f in got["findings"] if f["finding"] == "bad" and f["what"] not in ("disk", "kernel", "clock")]

    def test_nothing_to_find(self):
        self.assertEqual(self.findings(self.make()), [])

    def test_what_needs_attention(self):
        for what, conf, spoil in (
                ("settings", "nonsense = 1\n", None), ("sandbox", "[process]\nsandbox = available\n", None),
                ("factor", "[session]\nfactor = optional\n", None), ("auditor", "[ledger]\nauditor_file = keeper/heads\n", None),
                ("folder", "", lambda d: (d / "keys" / "node.key").chmod(0o644)),
                ("folder", "", lambda d: (d / "keys" / "custodians.pub").unlink()),
                ("store", "", lambda d: (d / "house" / "house.db").write_bytes(b"")),
                ("store", "", lambda d: (d / "house" / "house.db").unlink()),
                ("store", "[store]\nhouse = postgresql://127.0.0.1:1/none\n", None),
                ("custodians", "", lambda d: (d / "custodians").mkdir(mode=0o700))):
            with self.subTest(what=what, conf=conf):
                shutil.rmtree(self.folder / "node", ignore_errors=True)
                d = self.make(conf)
                if spoil:
                    spoil(d)
                self.assertEqual([f["what"] for f in self.findings(d)], [what])
                self.run_fairway("doctor", str(d), status=EXIT["unhealthy"])

    def test_open_to_the_network(self):
        d = self.make()
        conf = (d / "fairway.conf").read_text().replace(f"unix:{self.folder}/none", "0.0.0.0:1")
        (d / "fairway.conf").write_text(conf)
        self.assertEqual([f["what"] for f in self.findings(d)], ["listen"])

    def test_no_node(self):
        self.run_fairway("doctor", str(self.folder), status=EXIT["not_found"])

    def test_a_node_that_runs_but_is_not_ready(self):
        self.make()
        node = Node(str(self.folder / "none"), {"GET /healthz": [(200, {})], "GET /readyz": [(503, problem("starting"))]})
        self.addCleanup(node.server_close)
        self.addCleanup(node.shutdown)
        self.assertEqual([f["what"] for f in self.findings(self.folder / "node")], ["node"])


if __name__ == "__main__":
    unittest.main(verbosity=0)
