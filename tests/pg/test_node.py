# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole node whose stores are on PostgreSQL, behind its walls, with a password for each vault's role."""
import pathlib
import threading
import time

import server
from server import ROLES, ask, control, fresh_databases, password_of, passwords

server.skip_without()
from node import Node, main, scenario, until  # noqa: E402


def node_on(folder, where=None, **more):
    fresh_databases()
    options = ["--store", where or server.SERVER, "--password-file", str(passwords(folder / "passwords"))]
    return Node(folder, init=options, settings={"process.sandbox": "required"}, **more)


def verify(node):
    for vault in ROLES:
        name = next(a for a in sorted(node.passwords) if a.startswith(f"custodian.{vault}"))
        verdict = node.login(name).post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
        assert verdict["verified"], (vault, verdict)


def is_refused(words, sql="SELECT 1", **where):
    try:
        ask(sql, **where)
    except RuntimeError as error:
        assert words in str(error), error
        return
    raise AssertionError(f"{where}: not refused")


@scenario
def people_work_on_it_and_it_comes_back(folder):
    with node_on(folder) as node:
        admin, custodian = node.login("administrator"), node.login("custodian.strategic")
        agency = admin.get("/api/agencies").expect(200).json()["agencies"][0]["id"]
        made = admin.post("/api/accounts", {"account": "n.new", "display": "New Example", "agency": agency}).expect(201).json()
        node.passwords["n.new"] = made["password"]
        officer = node.login("n.new")  # sets a password of its own
        custodian.post("/api/strategic/grants", {"account": "n.new", "role": "analyst"}).expect(200)
        assert "report.read" in officer.get("/api/strategic/me").expect(200).json()["permissions"]
        verify(node)
        node.restart()
        assert "report.read" in officer.get("/api/strategic/me").expect(200).json()["permissions"], "the session is gone"
        assert "report.read" in node.login("n.new").get("/api/strategic/me").expect(200).json()["permissions"]
        old = node.children()
        for vault in ROLES:
            assert node.kill(vault)
        until(lambda: all(node.pid(vault) not in (None, old[vault]) for vault in ROLES), 20)
        node.wait_ready(30)
        verify(node)
        assert node.stop() == 0
        assert not [r for r in node.log_lines() if "password" in str(r) or "sec:ret" in str(r)]


@scenario
def each_vault_has_a_role_that_reaches_no_other(folder):
    with node_on(folder, start=False):
        for vault in ROLES:
            role = f"fairway_{vault}"
            assert ask("SELECT count(*) > 3 FROM pg_tables WHERE schemaname = 'public'", database=role, role=role,
                       password=password_of(role)) == "t"
            for other in ROLES:
                if other != vault:
                    is_refused("permission denied for database", database=f"fairway_{other}", role=role, password=password_of(role))
            is_refused("permission denied", database=role, role=role, password=password_of(role),
                       sql="SELECT pg_read_file('/etc/passwd')")
            is_refused("no password supplied", database=role, role=role)


@scenario
def a_password_is_where_only_its_vault_looks(folder):
    with node_on(folder) as node:
        for vault in ROLES:
            path = node.dir / vault / "pgpass"
            assert path.stat().st_mode & 0o777 == 0o600, oct(path.stat().st_mode)
            assert path.read_text().count("\n") == 1 and "*:*:*:*:sec\\:ret\\\\of fairway_" in path.read_text(), path.read_text()
        assert "sec:ret" not in (node.dir / "fairway.conf").read_text()
        for name, pid in [("supervisor", node.process.pid), *((n, p) for n, p in node.children().items() if n != "reader")]:
            said = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            assert b"ret" + b"\\of" not in said, name
        assert ask("SELECT count(DISTINCT usename) FROM pg_stat_activity WHERE application_name = 'fairway' "
                   "AND usename = datname AND usename <> 'fairway'") == "4"


@scenario
def a_role_that_could_reach_another_vault_is_refused(folder):
    """By init, and by a worker whose server was changed later."""
    fresh_databases()
    ask("GRANT CONNECT ON DATABASE fairway_protection TO fairway_house")
    node = Node(folder, init=["--store", server.SERVER, "--password-file", str(passwords(folder / "passwords"))], start=False)
    done = node.cli("init", node.dir, "--name", "x", "--exercise", *node.init_options, status=None)
    assert done.returncode != 0 and "may connect to fairway_protection, another vault's database" in done.stderr, done.stderr
    assert not node.dir.exists()
    for change, back, words in [
            ("ALTER ROLE fairway_house SUPERUSER", "ALTER ROLE fairway_house NOSUPERUSER", "rules the database server"),
            ("GRANT pg_read_all_data TO fairway_house", "REVOKE pg_read_all_data FROM fairway_house", "is a member of pg_read_all_data"),
            ("GRANT fairway_strategic TO fairway_house", "REVOKE fairway_strategic FROM fairway_house", "is a member of fairway_strategic")]:
        ask("REVOKE CONNECT ON DATABASE fairway_protection FROM fairway_house")
        ask(change)
        done = node.cli("init", node.dir, "--name", "x", "--exercise", *node.init_options, status=None)
        assert done.returncode != 0 and words in done.stderr, done.stderr
        ask(back)
    with node_on(folder) as node:
        ask("GRANT CONNECT ON DATABASE fairway_protection TO fairway_operational")
        node.kill("operational")
        until(lambda: [r for r in node.log_lines("process.failed") if "another vault's database" in r["msg"]], 10)
        ask("REVOKE CONNECT ON DATABASE fairway_protection FROM fairway_operational")
        node.wait_ready(40)


@scenario
def an_address_that_would_not_do_is_refused_before_anything_is_made(folder):
    node = Node(folder, start=False)
    for where, words in [("postgresql://fairway@h/x", "names the server and no user"),
                         ("postgresql://u:hunter2@h/", "names the server and no user"),
                         ("postgresql:///?host=/x&password=hunter2", "must not say password="),
                         ("postgresql:///?user=fairway", "must not say user="),
                         ("postgresql://h/Nice-Name", "a-z, 0-9 and _"),
                         ("postgresql://h/a/b", "a-z, 0-9 and _"),
                         ("mysql://h/", "--store takes postgresql://"),
                         (server.SERVER.replace("?", "absent?"), "cannot connect")]:
        done = node.cli("init", node.dir, "--name", "x", "--exercise", "--store", where, status=None)
        assert done.returncode not in (0, -6, -11) and words in done.stderr, (where, done.stderr)
        assert "hunter2" not in done.stderr and not list(folder.glob("node*")), (where, done.stderr)


@scenario
def databases_of_another_node_are_left_alone(folder):
    with node_on(folder, start=False) as node:
        before = ask("SELECT count(*) FROM access_account", database="fairway_house")
        done = node.cli("init", folder / "second", "--name", "x", "--exercise", *node.init_options, status=None)
        assert done.returncode != 0 and not (folder / "second").exists(), done.stderr
        assert ask("SELECT count(*) FROM access_account", database="fairway_house") == before


@scenario
def the_server_stops_at_once_and_comes_back(folder):
    """Meanwhile a clear error; then service again, without a new start of any process of the node."""
    with node_on(folder) as node:
        admin, auditor = node.login("administrator"), node.login("custodian.strategic")
        agency = admin.get("/api/agencies").expect(200).json()["agencies"][0]["id"]
        before = node.children()
        for turn in range(3):
            made, stop = [], threading.Event()

            def work():
                i = 0
                while not stop.is_set():
                    name = f"n.{turn}.{i}"
                    i += 1
                    answer = admin.post("/api/accounts", {"account": name, "display": "New Example", "agency": agency})
                    if answer.status == 201:
                        made.append(name)
                    else:
                        answer.expect(503)
            worker = threading.Thread(target=work)
            worker.start()
            until(lambda: len(made) > 5, 20)
            control("stop", "-m", "immediate")
            stop.set()
            worker.join()
            time.sleep(4)  # tickets kept by the front run out
            for session, path in [(admin, "/api/accounts"), (auditor, "/api/strategic/me"), (auditor, "/api/session")]:
                began = time.monotonic()
                answer = session.get(path).expect(503)
                assert time.monotonic() - began < 3, path
                problem = answer.json()
                assert problem["code"] in ("FW_EBUSY", "FW_ESTORE") and "does not answer" in problem["detail"], problem
                assert "set-cookie" not in answer.headers and answer.headers.get("retry-after"), answer.headers
            refused = node.nobody().post("/api/session", {"account": "reporter", "password": "fairway-exercise"})
            refused.expect(503)
            control("start")
            until(lambda: admin.get("/api/accounts").status == 200, 10, 0.2)
            there = {a["account"] for a in admin.get("/api/accounts").expect(200).json()["accounts"]}
            assert set(made) <= there, set(made) - there
            until(lambda: auditor.get("/api/strategic/me").status == 200, 10, 0.2)
        assert node.children() == before, "a process was started again"
        verify(node)


main()
