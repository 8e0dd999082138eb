# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node whose address names two servers: the first is lost, the second is promoted, and the node goes on with it."""
import os
import pathlib
import shlex
import subprocess
import threading

import server
from server import ROLES, ask, control, find_bin, fresh_databases, passwords

server.skip_without()
from node import Node, main, scenario, until  # noqa: E402

DATA = pathlib.Path(os.environ["FAIRWAY_TEST_PG_DATA"])


def second_server():
    """A standby that has what is acknowledged: the first waits for it. Returns its socket's folder and its pg_ctl."""
    with open(DATA / "pg_hba.conf", "a") as hba:
        hba.write("local replication fairway trust\n")
    ask("SELECT pg_reload_conf()")
    place = DATA.parent / "second"
    first = shlex.split(os.environ["FAIRWAY_TEST_PG_CTL"])
    as_user = first[:next(i for i, word in enumerate(first) if word.endswith("pg_ctl"))]
    run = lambda words: subprocess.run(as_user + words, cwd="/tmp", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: E731
    run(["mkdir", str(place)])
    run([str(find_bin() / "pg_basebackup"), "-h", server.folder(), "-U", "fairway", "-D", str(place / "data"), "-R", "-X", "stream",
         "-c", "fast"])
    run(["sh", "-c", f"echo \"cluster_name = 'second'\" >> {shlex.quote(str(place / 'data' / 'postgresql.auto.conf'))}"])
    options = f"-c listen_addresses='' -c unix_socket_directories={place} -c max_connections=40"
    ctl = [str(find_bin() / "pg_ctl"), "-D", str(place / "data"), "-w", "-t", "60", "-l", str(place / "log"), "-o", options]
    run(ctl + ["start"])
    ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    ask("ALTER SYSTEM SET synchronous_commit = remote_apply")
    ask("SELECT pg_reload_conf()")
    until(lambda: ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1", 20, 0.2)
    return place, lambda *words: run(ctl + list(words))


@scenario
def the_first_server_is_lost_and_the_second_takes_its_place(folder):
    fresh_databases()
    place, second = second_server()
    try:
        lose_the_first(folder, place, second)
    finally:
        second("stop", "-m", "immediate")


def lose_the_first(folder, place, second):
    at = server.SERVER.replace(server.folder(), f"{server.folder()},{place}")
    made, stop = [], threading.Event()
    with Node(folder, init=["--store", at, "--password-file", str(passwords(folder / "passwords"))]) as node:
        admin = node.login("administrator")
        agency = admin.get("/api/agencies").expect(200).json()["agencies"][0]["id"]
        before = node.children()

        def work():
            number = 0
            while not stop.is_set():
                number += 1
                answer = admin.post("/api/accounts", {"account": f"n.{number}", "display": "New Example", "agency": agency})
                if answer.status == 201:
                    made.append(f"n.{number}")
                else:
                    answer.expect(503)
        worker = threading.Thread(target=work)
        worker.start()
        try:
            until(lambda: len(made) > 5, 30)
            control("stop", "-m", "immediate")
            kept = len(made)
            second("promote")
            until(lambda: len(made) > kept + 5, 30)
        finally:
            stop.set()
            worker.join()
        there = {a["account"] for a in admin.get("/api/accounts").expect(200).json()["accounts"]}
        assert set(made) <= there, set(made) - there
        assert node.children() == before, "a process was started again"
        for vault in ROLES:
            name = next(a for a in sorted(node.passwords) if a.startswith(f"custodian.{vault}"))
            verdict = node.login(name).post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
            assert verdict["verified"], verdict


main()
