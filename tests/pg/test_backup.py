# SPDX-License-Identifier: AGPL-3.0-or-later
"""Backups of a node on PostgreSQL, and a node that comes back from one in other databases."""
import json
import os

import server
from server import ROLES, ask, fresh_databases, passwords

server.skip_without()
from node import DEMO, Node, main, scenario  # noqa: E402


def made(folder, **more):
    fresh_databases()
    (folder / "sticks").mkdir()
    return Node(folder, init=["--store", server.SERVER, "--password-file", str(passwords(folder / "passwords")), "--keys",
                              str(folder / "sticks")], settings={"ledger.checkpoint_seconds": "1"}, **more)


def everybody(folder):
    words, phrase = [], folder / "phrase"
    phrase.write_text(DEMO + "\n")
    for key in sorted((folder / "sticks").glob("*.key")):
        words += ["-k", key, "--passphrase-file", phrase]
    return words


def with_prefix(prefix):
    return server.SERVER.replace("?", prefix + "?")


def tables(prefix):
    return {v: ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=f"{prefix}_{v}") for v in ROLES}


def ledgers(prefix):
    return {v: ask("SELECT count(*) FROM ledger_entry", database=f"{prefix}_{v}") for v in ROLES}


@scenario
def a_node_comes_back_in_other_databases(folder):
    with made(folder) as node:
        admin = node.login("administrator")
        agency = admin.get("/api/agencies").expect(200).json()["agencies"][0]["id"]
        admin.post("/api/accounts", {"account": "n.before", "display": "Example Before", "agency": agency}).expect(201)
        done = node.cli("backup", node.dir, "-o", folder / "backup")  # while it serves
        assert sorted(p.name for p in (folder / "backup").iterdir()) == sorted(
            [v + ".fwbackup" for v in ROLES] + ["keys.fwbackup"]), done.stdout
        for item in ROLES:
            data = (folder / "backup" / f"{item}.fwbackup").read_bytes()
            assert b"PGDMP" not in data and b"store_migration" not in data, item
        admin.post("/api/accounts", {"account": "n.after", "display": "Example After", "agency": agency}).expect(201)
        new, restore = folder / "new", ["restore", folder / "backup", folder / "new", *everybody(folder), "--no-erasures"]
        # The settings name the databases of the node that still serves: nothing goes into them.
        old = ledgers("fairway")
        done = node.cli(*restore, "--password-file", folder / "passwords", status=None)
        assert done.returncode == 8 and "must be there and be empty" in done.stdout, (done.returncode, done.stdout, done.stderr)
        assert (new / "restoring").exists()
        assert all(int(n) >= int(old[v]) for v, n in ledgers("fairway").items())
        assert node.cli("serve", new, status=None).returncode != 0
        fresh_databases("second")
        done = node.cli(*restore, "--store", with_prefix("second"), "--password-file", passwords(folder / "second", "second"), "--json")
        assert json.loads(done.stdout)["finished"] and not (new / "restoring").exists(), done.stdout
        assert not list(new.glob("*/*.dump")), list(new.glob("*/*.dump"))
        assert "sec:ret" not in (new / "fairway.conf").read_text()
        admin.get("/api/accounts").expect(200)  # the old one never noticed
    assert tables("second") == tables("fairway")
    again = Node(folder, start=False)
    again.dir, again.log_path = new, folder / "again.jsonl"
    with again:
        again.passwords, again.secrets, again.codes_used = node.passwords, node.secrets, node.codes_used
        again.start()
        accounts = {a["account"] for a in again.login("administrator").get("/api/accounts").expect(200).json()["accounts"]}
        assert "n.before" in accounts and "n.after" not in accounts, accounts
        for vault in ROLES:
            session = again.login(next(a for a in sorted(again.passwords) if a.startswith(f"custodian.{vault}")))
            events = [e["event"] for e in session.get(f"/api/{vault}/ledger").expect(200).json()["entries"]]
            assert "backup.restore" in events and "backup.make" in events, events
            verdict = session.post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
            assert verdict["verified"], verdict


@scenario
def a_dump_that_fails_leaves_no_backup(folder):
    with made(folder, start=False) as node:
        empty = folder / "bin"
        empty.mkdir()
        done = node.cli("backup", node.dir, "-o", folder / "backup", env={"PATH": str(empty)}, status=None)
        assert done.returncode != 0 and "pg_dump cannot be started" in done.stderr, done.stderr
        assert not list((folder / "backup").iterdir()), list((folder / "backup").iterdir())
        # One that writes half of it and fails.
        (empty / "pg_dump").write_text("#!/bin/sh\necho half\nexit 1\n")
        (empty / "pg_dump").chmod(0o755)
        done = node.cli("backup", node.dir, "-o", folder / "backup", env={"PATH": f"{empty}:{os.environ['PATH']}"}, status=None)
        assert done.returncode != 0 and "pg_dump did not succeed" in done.stderr, done.stderr
        assert not list((folder / "backup").iterdir()), list((folder / "backup").iterdir())


@scenario
def a_store_on_sqlite_stays_there(folder):
    (folder / "sticks").mkdir()
    with Node(folder, init=["--keys", str(folder / "sticks")], start=False) as node:
        node.cli("backup", node.dir, "-o", folder / "backup")
        done = node.cli("restore", folder / "backup", folder / "new", *everybody(folder), "--no-erasures", "--store", server.SERVER,
                        status=None)
        assert done.returncode != 0 and "is on SQLite and stays there" in done.stderr, done.stderr
        node.cli("restore", folder / "backup", folder / "new", *everybody(folder), "--no-erasures")


main()
