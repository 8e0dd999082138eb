#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Random kill -9 of any process during imports, log-ins and the outbox's work.

Whatever dies and when: what was acknowledged is there, nothing half-done is
to be seen, and in the end every ledger verifies and the vault holds exactly
what its files say.  40 kills; a thousand with FAIRWAY_LONG.  The seed is
printed; FAIRWAY_SEED=N runs it again (the moments of the kills are the
machine's own).
"""
import http.client
import json
import os
import random
import subprocess
import threading
import time
import traceback

from imports_help import OVER, expected_totals, hand_in, refused_rows, row, rows_of, see, summary, table
from node import PROCESSES, SOURCE, Node, Session, long, main, scenario, until

KILLS = 1000 if long() else 40
SEED = int(os.environ.get("FAIRWAY_SEED", time.time_ns() % 1000000))
# Who is killed how often: the vault under import most, the supervisor (with it the whole node) now and then.
TARGETS = ["strategic"] * 6 + ["reader"] * 3 + ["front"] * 3 + ["house"] * 3 + ["keeper"] * 2 + ["supervisor"] * 2 + [
    "operational", "protection", "protection"]
NUMBERS = 8000
KEPT = 30  # far below session.per_account, so that none of them is the one unused longest
TROUBLE = (OSError, http.client.HTTPException)
AWAY = (502, 503, 504)


class Ledgers:
    """What was acknowledged, and must therefore be there for ever."""

    def __init__(self):
        self.lock = threading.Lock()
        self.files = {}     # import id: (bytes, its rows)
        self.sessions = []  # tokens of log-ins that were answered
        self.counts = {"handed in": 0, "log-ins": 0, "referrals": 0, "unanswered": 0}
        self.referrals = []  # receipts
        self.seen = {}      # import id: rows that somebody was told of
        self.failures = []

    def add(self, name, n=1):
        with self.lock:
            self.counts[name] += n


def made_file(chance, number):
    """A table of some thousand rows, some of them refused, some as in other files with another content."""
    rows = []
    for _ in range(chance.randrange(200, 6000)):
        n = chance.randrange(NUMBERS)
        cells = {"Number_Dead": chance.choice(["", "0", "1", "2", "17"])}
        if chance.random() < 0.02:
            cells["Number_Dead"] = "many"
        rows.append(row(n, Location_of_death=f"Invented place {number}", **cells))
    return rows


class Actor(threading.Thread):
    """Does act() until told to stop; what is not answered is not acknowledged, what is answered oddly is a failure."""

    def __init__(self, node, ledgers, stop, seed):
        super().__init__(daemon=True)
        self.node, self.ledgers, self.stopped, self.chance = node, ledgers, stop, random.Random(seed)
        self.session = None

    def run(self):
        while not self.stopped.is_set():
            try:
                if self.session is None:
                    self.session = self.log_in()
                self.act()
            except TROUBLE:
                self.ledgers.add("unanswered")
                time.sleep(0.05)
            except Exception as error:  # whatever else is a finding
                self.ledgers.failures.append(type(self).__name__ + ": " + "".join(traceback.format_exception(error))[-1500:])
                return

    def log_in(self):
        session = Session(self.node)
        answer = session.post("/api/session", {"account": self.account, "password": self.node.passwords[self.account]}, timeout=20)
        self.check(answer, 200)
        session.account = self.account
        self.ledgers.add("log-ins")
        return session

    def check(self, answer, *good):
        """One of what may be; 503 is somebody's death, and said to be that."""
        if answer.status in AWAY:
            raise OSError(str(answer))
        if answer.status not in good:
            raise AssertionError(repr(answer))
        return answer


class Importer(Actor):
    account = "reporter"
    number = 0

    def act(self):
        Importer.number += 1
        rows = made_file(self.chance, Importer.number)
        data = table(rows)
        answer = self.check(hand_in_any(self.session, data), 202)
        with self.ledgers.lock:
            self.ledgers.files[answer.json()["id"]] = rows
            self.ledgers.counts["handed in"] += 1
        while not self.stopped.is_set():
            answer = self.check(self.session.get("/api/report/imports/" + answer.json()["id"], timeout=20), 200)
            v = answer.json()
            with self.ledgers.lock:
                before = self.ledgers.seen.get(v["id"], 0)
                self.ledgers.seen[v["id"]] = v["rows"]
            assert v["rows"] >= before, f"rows that were reported are gone: {before}, then {v['rows']}"
            assert v["rows"] == v["added"] + v["changed"] + v["same"] + v["refused"], v
            if v["state"] in OVER:
                return
            time.sleep(0.03)


def hand_in_any(session, data):
    return session.post("/api/report/imports?file=made.csv", upload=data, timeout=30)


class Visitor(Actor):
    """Logs in, looks, and sometimes logs out again; every second session is kept and must stay open."""
    account = "focal.point"

    def act(self):
        session = self.log_in()
        self.check(session.get("/api/report/summary", timeout=20), 200)
        if self.chance.random() < 0.5:
            self.check(session.log_out(), 204)
            assert self.check(session.get("/api/session", timeout=20), 401)
        else:
            with self.ledgers.lock:
                self.ledgers.sessions.append(session)
                old = self.ledgers.sessions.pop(0) if len(self.ledgers.sessions) > KEPT else None
            if old is not None:
                old.log_out()
        time.sleep(0.1)


class Referrer(Actor):
    """Hands people of reports over to protection: through the outbox."""
    account = "reporter"

    def act(self):
        page = self.check(self.session.get("/api/report/incidents?limit=200", timeout=20), 200).json()
        if not page["incidents"]:
            time.sleep(0.1)
            return
        id = self.chance.choice(page["incidents"])["id"]
        path = f"/api/report/incidents/{id}/referrals"
        answer = self.session.post(path, {"needs": ["shelter"], "urgency": "today"}, timeout=20)
        self.check(answer, 202)
        with self.ledgers.lock:
            self.ledgers.referrals.append((id, answer.json()))
            self.ledgers.counts["referrals"] += 1
        self.stopped.wait(3 if long() else 0.3)


def kill_one(node, chance):
    """Returns the name of who was killed, or None."""
    name = chance.choice(TARGETS)
    if name == "supervisor":
        node.crash()
        node.start(seconds=60)
        return name
    if name == "reader":
        for _ in range(60):  # they live for parts of a second
            readers = node.children()["reader"]
            if readers:
                break
            time.sleep(0.005)
        if not readers:
            return None
        try:
            os.kill(readers[0], 9)
        except ProcessLookupError:
            return None
        return name
    return name if node.kill(name) else None


def end_well(node, ledgers, killed):
    """Every import that was acknowledged comes to an end; only a reader's death may fail one, and only its own."""
    failed = 0
    until(lambda: all(node.pid(p) for p in PROCESSES) and node.is_ready(), 60)
    officer = node.login("reporter")
    for id in list(ledgers.files):
        def ended():
            """the end of every acknowledged import"""
            try:
                v = see(officer, id)
            except (AssertionError, *TROUBLE):
                return None
            return v if v["state"] in OVER else None
        v = until(ended, 180, 0.1)
        assert v["state"] in ("done", "failed"), v
        assert v["rows"] >= ledgers.seen.get(id, 0), (v, ledgers.seen.get(id))
        if v["state"] == "failed":
            failed += 1
            assert "died" in v["message"] or "reader" in v["message"], v
            assert v["rows"] <= len(ledgers.files[id]), v
        else:
            assert v["rows"] == len(ledgers.files[id]), (v, len(ledgers.files[id]))
            assert v["refused"] == sum(r[6] == "many" for r in ledgers.files[id]), v
            back, _ = refused_rows(officer, id)
            assert len(back) - 1 == v["refused"], (len(back), v)
    assert failed <= killed.get("reader", 0), (failed, killed)
    return officer


def check_whole(node, ledgers, officer):
    """The last word of the files is what the vault says, by the list and by its sums."""
    # One file more, over all numbers: after it the content is known whatever came before.
    rows = [row(n, Number_Dead=str(n % 7), Location_of_death="Invented last place") for n in range(NUMBERS)]
    id = hand_in(officer, table(rows)).json()["id"]
    done = until(lambda: (lambda v: v if v["state"] in OVER else None)(see(officer, id)), 120, 0.1)
    assert done["state"] == "done" and done["rows"] == NUMBERS and done["refused"] == 0, done
    v, totals = summary(officer)
    assert v["incidents"] == NUMBERS, v
    want = expected_totals(rows_of(table(rows)))
    for measure, (total, counted, unknown) in want.items():
        t = totals[measure]
        assert (t["sum"], t["counted"], t["unknown"]) == (total, counted, unknown), (measure, t)
    before = (v, totals)
    node.restart()
    assert summary(officer) == before, "the index says what the store says"
    assert not list((node.dir / "strategic" / "spool").iterdir())


def check_ledgers(node):
    for vault in ("house", "strategic", "operational", "protection"):
        account = {"house": "custodian.house"}.get(vault, vault + ".auditor")
        out = node.cli("ledger", "verify", "--vault", vault, session=node.login(account, bearer=True), status=None)
        assert out.returncode == 0, (vault, out.stdout, out.stderr)


def check_referrals(node, ledgers):
    """Each that was acknowledged arrives, and once; what arrived was handed over."""
    officer = node.login("reporter")
    reports = {id for id, _ in ledgers.referrals}
    page = {"next": ""}
    while "next" in page:  # those, too, of whose handing-over nobody was told
        after = f"&after={page['next']}" if page["next"] else ""
        page = officer.get("/api/report/incidents?limit=200" + after).expect(200).json()
        reports |= {v["id"] for v in page["incidents"]}

    def handed_over():
        """a receipt for everything that was handed over"""
        found = []
        for id in reports:
            found += officer.get(f"/api/report/incidents/{id}/referrals").expect(200).json()["handed_over"]
        return found if all(v.get("receipt") for v in found) else None
    found = until(handed_over, 60, 0.5)
    receipts = [v["receipt"] for v in found]
    assert {v["id"] for _, v in ledgers.referrals} <= {v["id"] for v in found}
    assert len(set(receipts)) == len(receipts), "one handing-over, one referral"
    there = [v["receipt"] for v in node.login("protection.officer").get("/api/protection/referrals").expect(200).json()["referrals"]]
    assert len(set(there)) == len(there)
    assert set(there) == set(receipts) or len(there) == 200, (len(there), len(receipts))


@scenario
def nothing_acknowledged_is_lost(folder):
    """whoever is killed while files are imported, people log in and referrals go their way"""
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    chance = random.Random(SEED)
    killed = {}
    with Node(folder, {"session.per_account": "100"}) as node:
        ledgers, stop = Ledgers(), threading.Event()
        actors = [kind(node, ledgers, stop, SEED + i) for i, kind in enumerate((Importer, Importer, Visitor, Referrer))]
        for a in actors:
            a.start()
        try:
            until(lambda: ledgers.counts["handed in"], 30)
            while sum(killed.values()) < KILLS and not ledgers.failures:
                time.sleep(chance.choice((0.01, 0.05, 0.2, 0.4)) * (1 + chance.random()))
                name = kill_one(node, chance)
                if name:
                    killed[name] = killed.get(name, 0) + 1
        finally:
            stop.set()
            for a in actors:
                a.join(60)
        assert not ledgers.failures, ledgers.failures
        officer = end_well(node, ledgers, killed)
        for session in ledgers.sessions:
            session.get("/api/session").expect(200)
        check_whole(node, ledgers, officer)
        check_referrals(node, ledgers)
        check_ledgers(node)
        odd = [r for r in node.log_lines() if r["level"] == "error"]
        assert not odd, odd[:5]
        print("# killed:", json.dumps(killed, sort_keys=True), "meanwhile:", json.dumps(ledgers.counts, sort_keys=True))
        assert ledgers.counts["handed in"] > KILLS / 20 and ledgers.counts["log-ins"] > KILLS / 20, ledgers.counts


main()
