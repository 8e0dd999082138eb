# SPDX-License-Identifier: AGPL-3.0-or-later
"""Backups: what an administrator cannot open, what a custodian can, and a node that comes back from them."""
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid

from node import DEMO, SOURCE, Node, main, program, scenario, until

VAULTS = ["house", "strategic", "operational", "protection"]


def made(folder, serve=True):
    """A served node with something in its ledgers, its custodians' keys beside it."""
    (pathlib.Path(folder) / "sticks").mkdir(exist_ok=True)
    node = Node(folder, init=["--keys", str(pathlib.Path(folder) / "sticks")], settings={"ledger.checkpoint_seconds": "1"},
                start=serve)
    return node


def stick(folder, vault, second=False):
    """The key file of a vault's custodian."""
    found = sorted((pathlib.Path(folder) / "sticks").glob(f"custodian.{vault}*.key"))
    assert found, list((pathlib.Path(folder) / "sticks").iterdir())
    return found[1 if second else 0]


def keys_of(folder, *vaults):
    """Options of restore for these custodians' keys; protection's second is "protection2"."""
    words, phrase = [], pathlib.Path(folder) / "phrase"
    phrase.write_text(DEMO + "\n")
    for vault in vaults:
        words += ["-k", stick(folder, vault.rstrip("2"), vault.endswith("2")), "--passphrase-file", phrase]
    return words


def everybody(folder):
    return keys_of(folder, "house", "strategic", "operational", "protection", "protection2")


def backup(node, name="backup", *more, status=0):
    node.cli("backup", node.dir, "-o", node.folder / name, *more, status=status)
    return node.folder / name


def served(folder, place):
    """A Node object over a restored folder."""
    again = Node(folder, start=False)
    again.dir = pathlib.Path(place)
    again.log_path = pathlib.Path(folder) / "again.jsonl"
    return again


def ledger(session, vault, **query):
    words = "&".join(f"{k}={v}" for k, v in query.items())
    return session.get(f"/api/{vault}/ledger" + ("?" + words if words else "")).expect(200).json()


def auditor_of(node, vault):
    return node.login(f"custodian.{vault}" if vault != "protection" else
                      next(a for a in sorted(node.passwords) if a.startswith("custodian.protection")))


def with_checkpoint(session, vault):
    """The ledger's page once its newest entry is signed."""
    def signed():
        page = ledger(session, vault)
        return page if page.get("checkpoint") else None
    return until(signed, 15, 0.2)


@scenario
def a_node_comes_back_from_its_backup(folder):
    with made(folder) as node:
        for vault in VAULTS:
            with_checkpoint(auditor_of(node, vault), vault)
        place = backup(node)  # while it serves
        names = sorted(p.name for p in place.iterdir())
        assert names == sorted([v + ".fwbackup" for v in VAULTS] + ["keys.fwbackup"]), names
        noted = ledger(auditor_of(node, "strategic"), "strategic", event="backup.make")["entries"]
        assert len(noted) == 1 and len(json.loads(noted[0]["detail"])["sealed_to"]) >= 1, noted
    new = node.folder / "new"
    done = node.cli("restore", place, new, *everybody(folder), "--no-erasures", "--json")
    state = json.loads(done.stdout)
    assert state["finished"] and not (new / "restoring").exists(), state
    assert (new / "keys" / "node.key").read_bytes() == (node.dir / "keys" / "node.key").read_bytes()
    with served(folder, new) as again:
        again.passwords, again.secrets, again.codes_used = node.passwords, node.secrets, node.codes_used
        again.start()
        for vault in VAULTS:
            session = auditor_of(again, vault)
            events = [e["event"] for e in ledger(session, vault)["entries"]]
            assert "backup.restore" in events and "backup.make" in events, events
            verdict = session.post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
            assert verdict["verified"], verdict


@scenario
def an_administrator_opens_nothing(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        for item in VAULTS + ["keys"]:
            data = (place / f"{item}.fwbackup").read_bytes()
            for told in (b"SQLite format", b"administrator", b"FWNODEK", b"custodian."):
                assert told not in data, (item, told)
        # Everything of the node's folder is in his hands, and a key of his own making.
        phrase = node.folder / "phrase"
        phrase.write_text(DEMO + "\n")
        other = Node(node.folder / "other", init=["--keys", str(node.folder / "other-sticks")], start=False)
        os.makedirs(other.folder)
        (node.folder / "other-sticks").mkdir()
        other.init()
        own = sorted((node.folder / "other-sticks").glob("*.key"))
        words = []
        for key in own:
            words += ["-k", key, "--passphrase-file", phrase]
        done = node.cli("restore", place, node.folder / "stolen", *words, "--no-erasures", status=4)
        assert "custodians" in done.stderr, done.stderr
        assert not (node.folder / "stolen" / "keys" / "node.key").exists()
        done = node.cli("restore", place, node.folder / "x", *words, "--check", status=4)
        assert "opens with these keys" in done.stderr, done.stderr


@scenario
def a_custodian_opens_his_own_vault_and_two_open_protection(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        def check(*who):
            done = node.cli("restore", place, node.folder / "none", *keys_of(folder, *who), "--check")
            return {line.split()[0]: " ".join(line.split()[1:]) for line in done.stdout.splitlines()}
        assert not (node.folder / "none").exists()
        whole, shut = "opens and is whole", "does not open with these keys"
        assert check("strategic") == dict.fromkeys(VAULTS + ["keys"], shut) | {"strategic": whole}
        assert check("house") == dict.fromkeys(VAULTS, shut) | {"house": whole, "keys": whole}
        assert check("protection2", "operational")["protection"] == shut
        assert check("protection2", "protection")["protection"] == whole
        # A wrong passphrase is told from a wrong file.
        wrong = node.folder / "wrong"
        wrong.write_text("not the passphrase\n")
        done = node.cli("restore", place, node.folder / "none", "-k", stick(folder, "house"), "--passphrase-file", wrong,
                        "--check", status=11)
        assert "passphrase" in done.stderr, done.stderr


@scenario
def custodians_come_one_after_the_other(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        new = node.folder / "new"
        node.cli("restore", place, new, *keys_of(folder, "strategic"), "--no-erasures", status=4)  # the house comes first
        node.cli("restore", place, new, *keys_of(folder, "house", "strategic"), "--no-erasures", status=8)
        refused = node.cli("serve", new, status=None)
        assert refused.returncode == 6 and "not finished" in refused.stderr, refused
        node.cli("restore", place, new, *keys_of(folder, "protection", "protection2"), "--no-erasures", status=8)
        node.cli("restore", place, new, *keys_of(folder, "operational"), "--no-erasures")
        node.cli("serve", new, "--check", "--listen", "127.0.0.1:0")
        node.cli("restore", place, new, *everybody(folder), "--no-erasures", status=6)  # never over a node


@scenario
def files_cut_or_changed_are_refused(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        good = (place / "strategic.fwbackup").read_bytes()
        for n, (what, bad) in enumerate({
                "cut": good[:-1], "cut at a chunk": good[:len(good) // 65553 * 65553], "half": good[:len(good) // 2],
                "empty": b"", "changed": good[:5000] + bytes([good[5000] ^ 1]) + good[5001:], "longer": good + b"x"}.items()):
            (place / "strategic.fwbackup").write_bytes(bad)
            new = node.folder / f"bad{n}"
            done = node.cli("restore", place, new, *everybody(folder), "--no-erasures", status=None)
            assert done.returncode != 0, what
            assert "strategic.fwbackup" in done.stderr, (what, done.stderr)
            assert (new / "restoring").exists() and not (new / "strategic" / "strategic.db").exists(), what
        # The right file in the same folder: it goes on where it was.
        (place / "strategic.fwbackup").write_bytes(good)
        node.cli("restore", place, node.folder / "bad0", *everybody(folder), "--no-erasures")
        # One vault's file in the place of another's.
        shutil.copy(place / "operational.fwbackup", place / "strategic.fwbackup")
        done = node.cli("restore", place, node.folder / "swap", *everybody(folder), "--no-erasures", status=7)
        assert "does not belong" in done.stderr, done.stderr


# ---- erasures: the journal written here from its description alone ----

def vault_key(node, vault):
    root = (node.dir / "keys" / "node.key").read_bytes()[8:40]
    return hashlib.blake2b(b"fairway key 1:" + vault.encode(), key=root, digest_size=32).digest()


def journal(node, vault, ids):
    key = hashlib.blake2b(b"fairway erasures 1", key=vault_key(node, vault), digest_size=32).digest()
    code, text = bytes(16), ""
    for entry in ids:
        line = f"2026-11-25T04:57:03.123456Z ledger.entry {entry} {uuid.UUID(int=0)} "
        code = hashlib.blake2b(code + line.encode(), key=key, digest_size=16).digest()
        text += line + code.hex() + "\n"
    return text


@scenario
def what_was_erased_stays_erased(folder):
    with made(folder) as node:
        session = auditor_of(node, "strategic")
        for _ in range(6):
            ledger(session, "strategic")
        page = with_checkpoint(session, "strategic")
        place = backup(node)
        victims = [page["entries"][i]["id"] for i in (1, 3)]
        unknown = str(uuid.uuid4())  # made and erased after the backup
        node.stop()
        log = node.folder / "erasures.log"
        log.write_text(journal(node, "strategic", victims + [unknown]))
        others = [w for v in ("house", "operational", "protection") for w in ("--erasures", f"{v}={node.folder / 'empty'}")]
        (node.folder / "empty").write_text("")
        new = node.folder / "new"
        # Without a word about erasures nothing is brought up.
        done = node.cli("restore", place, new, *everybody(folder), status=7)
        assert "--erasures" in done.stderr and (new / "restoring").exists(), done.stderr
        # A journal with a line left out, or of another vault, is refused.
        bad = node.folder / "bad.log"
        lines = log.read_text().splitlines(True)
        bad.write_text("".join(lines[1:]))
        done = node.cli("restore", place, new, *everybody(folder), "--erasures", f"strategic={bad}", *others, status=11)
        assert "line 1" in done.stderr, done.stderr
        bad.write_text(journal(node, "operational", victims))
        node.cli("restore", place, new, *everybody(folder), "--erasures", f"strategic={bad}", *others, status=11)
        node.cli("restore", place, new, *everybody(folder), "--erasures", f"stratigic={log}", status=7)
        assert not list((new / "strategic").glob("erasures.log"))
        done = node.cli("restore", place, new, *everybody(folder), "--erasures", f"strategic={log}", *others)
        assert "2 erasures done again" in done.stdout, done.stdout
        assert (new / "strategic" / "erasures.log").read_text() == log.read_text()
    db = sqlite3.connect(new / "strategic" / "strategic.db")
    for victim in victims:
        row = db.execute("SELECT body, length(inner_hash) FROM ledger_entry WHERE id = ?", (uuid.UUID(victim).bytes,)).fetchone()
        assert row == (None, 32), row
    db.close()
    with served(folder, new) as again:
        again.passwords, again.secrets, again.codes_used = node.passwords, node.secrets, node.codes_used
        again.start()
        session = auditor_of(again, "strategic")
        shown = {e["id"]: e for e in ledger(session, "strategic")["entries"]}
        assert all(shown[v]["erased"] for v in victims)
        assert len(ledger(session, "strategic", event="backup.replay")["entries"]) == 2
        verdict = session.post("/api/strategic/ledger/verify", {}).expect(200).json()
        assert verdict["verified"] and verdict["erased"] == 2, verdict
        # The next backup carries the journal, and a restore of it does not accept an older one.
        place = backup(again, "backup2")
        again.stop()
        older = node.folder / "older.log"
        older.write_text("".join(log.read_text().splitlines(True)[:1]))
        done = again.cli("restore", place, node.folder / "new2", *everybody(folder), "--no-erasures", "--erasures",
                         f"strategic={older}", status=6)
        assert "older than" in done.stderr, done.stderr
        again.cli("restore", place, node.folder / "new2", *everybody(folder), "--no-erasures")


@scenario
def a_report_that_was_erased_does_not_come_back_with_a_backup(folder):
    with made(folder) as node:
        focal = node.login("focal.point")
        books = focal.get("/api/report/codebooks").expect(200).json()["codebooks"]
        kind = next(b for b in books if b["name"] == "incident_type")["values"][0]["code"]
        ids = [focal.post("/api/report/incidents", {"type": kind, "when": {"from": "2026"}, "place": {"text": f"Exercise {i}"}})
               .expect(201).json()["id"] for i in range(3)]
        place = backup(node)
        node.login("custodian.strategic").post(f"/api/report/incidents/{ids[1]}/erase", {"reason": "Exercise"}).expect(204)
        node.stop()
        log = node.dir / "strategic" / "erasures.log"
        assert len(log.read_text().splitlines()) == 1 and ids[1] in log.read_text(), log.read_text()
        (node.folder / "empty").write_text("")
        others = [w for v in ("house", "operational", "protection") for w in ("--erasures", f"{v}={node.folder / 'empty'}")]
        new = node.folder / "new"
        done = node.cli("restore", place, new, *everybody(folder), "--erasures", f"strategic={log}", *others)
        assert "1 erasures done again" in done.stdout or "1 erasure done again" in done.stdout, done.stdout
    with served(folder, new) as again:
        again.passwords, again.secrets, again.codes_used = node.passwords, node.secrets, node.codes_used
        again.start()
        focal = again.login("focal.point")
        assert {i["id"] for i in focal.get("/api/report/incidents").expect(200).json()["incidents"]} == {ids[0], ids[2]}
        focal.get("/api/report/incidents/" + ids[1]).expect(404)
        session = auditor_of(again, "strategic")
        assert len(ledger(session, "strategic", event="backup.replay")["entries"]) == 1
        assert session.post("/api/strategic/ledger/verify", {}).expect(200).json()["verified"]


@scenario
def an_old_node_put_back_is_found_by_the_checkpoints_kept_elsewhere(folder):
    kept, old = pathlib.Path(folder) / "kept.txt", pathlib.Path(folder) / "old"
    with Node(folder, settings={"ledger.checkpoint_seconds": "1", "ledger.auditor_file": str(kept)}) as node:
        def signed(times):
            """So many further checkpoints of the strategic vault, each over a reading."""
            session = auditor_of(node, "strategic")
            for _ in range(times):
                before = kept.read_text().count("/strategic\n") if kept.exists() else 0
                ledger(session, "strategic")
                until(lambda: kept.exists() and kept.read_text().count("/strategic\n") > before, 15, 0.1)
            return session

        session = signed(2)
        key = node.cli("ledger", "key", "--vault", "strategic", session=session).stdout.strip()
        assert key.count("+") >= 2 and "/strategic+" in key, key
        node.stop()
        shutil.copytree(node.dir, old, symlinks=True)
        node.start()
        good = node.cli("ledger", "verify", "--vault", "strategic", "--against", kept, session=signed(4))
        assert "kept elsewhere" in good.stdout, good.stdout
        node.stop()
        shutil.rmtree(node.dir)
        old.rename(node.dir)
        node.start()
        session = signed(6)  # beyond the size of the lost branch: the last checkpoint alone would agree
        bad = node.cli("ledger", "verify", "--vault", "strategic", "--against", kept, session=session, status=11)
        assert "branch" in bad.stdout, bad.stdout


def limited(*words, size):
    """Run with files held to ${size} bytes: the disk is full there."""
    def before():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return subprocess.run([program(), *map(str, words)], preexec_fn=before, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


@scenario
def a_full_disk_leaves_no_half_backup(folder):
    with made(folder, serve=False) as node:
        place = backup(node, "whole")
        largest = max(p.stat().st_size for p in place.iterdir())
        tried = 0
        for size in [0, 100, 1000, 5000, 20000, 66000, 100000, 300000]:
            out = node.folder / f"full{size}"
            done = limited("backup", node.dir, "-o", out, size=size)
            if done.returncode == 0:
                assert size > largest
                continue
            tried += 1
            assert done.stderr, size
            for path in out.glob("*"):
                assert path.suffix == ".fwbackup", path  # no .part is left, and what has the name is whole
                check = node.cli("restore", out, node.folder / "none", *everybody(folder), "--check", status=None)
                assert "too early" not in check.stderr and "cut" not in check.stderr, check.stderr
            assert not list(node.dir.glob("*/backup.copy")), "the copy of a store was left behind"
        assert tried >= 5, tried
        # And a restore onto a full disk: nothing pretends to be whole, and it goes on when there is room.
        new = node.folder / "new"
        done = limited("restore", place, new, *everybody(folder), "--no-erasures", size=20000)
        assert done.returncode != 0 and (new / "restoring").exists(), done
        node.cli("restore", place, new, *everybody(folder), "--no-erasures")


@scenario
def a_killed_restore_goes_on(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        new = node.folder / "new"
        for turn in range(12):
            words = [program(), "restore", str(place), str(new), *map(str, everybody(folder)), "--no-erasures"]
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.8 + turn * 0.05)
            process.kill()
            process.wait()
            if new.exists() and not (new / "restoring").exists() and any(new.iterdir()):
                break
        if (new / "restoring").exists() or not new.exists():
            node.cli("restore", place, new, *everybody(folder), "--no-erasures")
        node.cli("serve", new, "--check", "--listen", "127.0.0.1:0")


@scenario
def a_tampered_ledger_is_not_restored(folder):
    with made(folder) as node:
        with_checkpoint(auditor_of(node, "operational"), "operational")
        node.stop()
        db = sqlite3.connect(node.dir / "operational" / "operational.db")
        db.execute("UPDATE ledger_entry SET body = x'00' WHERE counter = 1")
        db.commit()
        db.close()
        place = backup(node)
        new = node.folder / "new"
        done = node.cli("restore", place, new, *everybody(folder), "--no-erasures", status=11)
        assert "position" in done.stderr, done.stderr
        assert (new / "restoring").exists()


@scenario
def backups_refuse_what_makes_no_sense(folder):
    with made(folder, serve=False) as node:
        place = backup(node)
        done = node.cli("backup", node.dir, "-o", place, status=6)
        assert "new folder" in done.stderr, done.stderr
        assert "no folder" in node.cli("backup", node.folder / "nothing", "-o", node.folder / "p", status=5).stderr
        pub = node.dir / "keys" / "custodians.pub"
        lines = pub.read_text().splitlines(True)
        pub.write_text("".join(l for i, l in enumerate(lines) if not (l.startswith("protection") and i == len(lines) - 1)))
        only = [l for l in pub.read_text().splitlines() if l.startswith("protection")]
        if len(only) == 1:
            done = node.cli("backup", node.dir, "-o", node.folder / "p", "--vault", "protection", status=7)
            assert "needs 2" in done.stderr, done.stderr


# ---- the ledger by somebody else's hand ----

@scenario
def an_auditor_verifies_with_the_documents_alone(folder):
    audit = SOURCE / "tools" / "audit_ledger.py"
    keep = pathlib.Path(folder) / "elsewhere.txt"
    with made(folder, serve=False) as node:
        node.set(ledger__auditor_file=str(keep))
        node.start()
        session = auditor_of(node, "operational")
        for _ in range(300):
            ledger(session, "operational")
        size = ledger(session, "operational")["size"]
        until(lambda: keep.exists() and f"operational\n" in keep.read_text() and
              int(ledger(session, "operational").get("checkpoint", "x\n0\n").split("\n")[1]) >= size, 15, 0.3)
        page = ledger(session, "operational")
        node.stop()
        store = node.dir / "operational" / "operational.db"
        def run(*more):
            done = subprocess.run([sys.executable, audit, store, "--vkey", page["vkey"], *more], stdout=subprocess.PIPE, text=True)
            return done.returncode, done.stdout
        code, said = run("--against", keep)
        assert code == 0 and "Everything verifies." in said, said
        shutil.copy(store, node.folder / "copy.db")
        db = sqlite3.connect(store)
        db.execute("UPDATE ledger_entry SET id = x'00112233445566778899aabbccddeeff' WHERE counter = 150")
        db.commit()
        code, said = run()
        assert code == 11 and "was changed" in said, said
        db.execute("DELETE FROM ledger_run WHERE position = (SELECT max(position) FROM ledger_run)")
        db.commit()
        db.close()
        code, said = run("--against", keep)
        assert code == 11 and "attests" in said, said


main()
