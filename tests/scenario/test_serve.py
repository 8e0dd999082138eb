#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node from its making to its end: it starts, answers, survives the death of each of its processes, and stops."""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

from node import DEMO, PROCESSES, Node, Skip, main, program, scenario, until


@scenario
def a_node_serves_and_an_officer_logs_in_and_out(folder):
    with Node(folder) as node:
        ready = node.nobody().get("/readyz").expect(200).json()
        assert ready["ready"] is True and set(ready["processes"].values()) == {"serving"}, ready
        officer = node.login("reporter")
        state = officer.get("/api/session").expect(200).json()
        assert state["state"] == "open" and state["account"] == "reporter", state
        assert officer.get("/api/strategic/me").expect(200).json()["permissions"]
        assert officer.get("/api/protection/me").expect(200).json()["permissions"] == []
        token = officer.token
        officer.log_out().expect(204)
        officer.token = token
        officer.get("/api/session").expect(401)
        assert node.stop() == 0


@scenario
def the_wrong_password_and_no_session_are_refused(folder):
    with Node(folder) as node:
        answer = node.nobody().post("/api/session", {"account": "reporter", "password": "wrong"})
        assert answer.status == 401 and answer.code == "FW_EAUTH", answer
        node.nobody().get("/api/strategic/me").expect(401)
        node.nobody().get("/api/session").expect(401)


@scenario
def each_process_may_die_and_comes_back(folder):
    with Node(folder) as node:
        for name in PROCESSES:
            before = node.pid(name)
            assert node.kill(name), name
            until(lambda: node.pid(name) not in (None, before), 10)
            node.wait_ready()
            node.login("reporter").get("/api/strategic/me").expect(200)
        deaths = [row["msg"].split()[0] for row in node.log_lines("process.death")]
        assert sorted(deaths) == sorted(PROCESSES), deaths


def cut_channels(pid):
    """Shut every channel of a process but the one to the supervisor (descriptor 3), as a fault in the kernel would."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    cut = 0
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            if int(name) <= 3 or not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
            copy = libc.syscall(438, process, int(name), 0)  # pidfd_getfd
            if copy < 0:
                raise Skip("this machine does not lend descriptors of other processes (pidfd_getfd)")
            with socket.socket(fileno=copy) as end:
                end.shutdown(socket.SHUT_RDWR)
            cut += 1
    finally:
        os.close(process)
    return cut


@scenario
def two_who_live_and_are_cut_off_are_joined_again(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        pids = {name: node.pid(name) for name in PROCESSES}
        assert cut_channels(pids["protection"]) >= 4
        until(lambda: officer.get("/api/protection/me").status == 200, 10)
        until(lambda: len(node.log_lines("process.rejoin")) >= 4, 10)
        joined = {frozenset((row["msg"].split()[0], row["msg"].split()[6].rstrip(",")))
                  for row in node.log_lines("process.rejoin")}
        assert joined == {frozenset(("protection", other)) for other in ("front", "house", "strategic", "operational")}, joined
        assert {name: node.pid(name) for name in PROCESSES} == pids
        assert node.stop() == 0


@scenario
def a_session_outlives_every_process_and_the_node(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        for name in PROCESSES:
            node.kill(name)
        until(lambda: all(node.pid(p) for p in PROCESSES), 10)
        node.wait_ready()
        officer.get("/api/session").expect(200)
        node.restart()
        officer.get("/api/session").expect(200)
        node.crash()
        node.start()
        officer.get("/api/session").expect(200)


@scenario
def the_clock_ends_a_session(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        node.restart(clock=13 * 3600)
        officer.get("/api/session").expect(401)


@scenario
def one_node_serves_a_folder_once(folder):
    with Node(folder) as node:
        second = subprocess.run([program(), "serve", str(node.dir), "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, timeout=30)
        assert second.returncode == 10 and "running" in second.stderr, second
        node.login("reporter")


@scenario
def a_killed_node_is_served_again_at_once(folder):
    with Node(folder) as node:
        for _ in range(5):
            node.crash()
            node.start()
            node.login("reporter")


@scenario
def it_ends_in_good_order(folder):
    with Node(folder) as node:
        pids = [p for name, p in node.children().items() if name != "reader"]
        began = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - began < 3, "the end took too long"
        assert not [p for p in pids if pathlib.Path(f"/proc/{p}").exists()]
        assert not [r for r in node.log_lines() if r["level"] == "error"], node.log_lines()
        # The stores are closed: nothing is left beside them.
        assert not list(node.dir.glob("*/*-wal")), list(node.dir.glob("*/*"))


@scenario
def it_serves_on_a_unix_socket(folder):
    path = folder / "http.sock"
    with Node(folder, options=["--listen", f"unix:{path}"]) as node:
        assert oct(os.stat(path).st_mode & 0o777) == "0o660"
        node.login("reporter").get("/api/session").expect(200)
        node.crash()
        node.start()  # the socket that is left over is no obstacle
        node.login("reporter")


@scenario
def init_leaves_nothing_that_looks_finished(folder):
    """killed at many points, it can always be run again"""
    place = folder / "node"
    command = [program(), "init", str(place), "--name", "N", "--exercise", "--json"]
    survived = 0
    for ms in range(0, 1600, 100):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(ms / 1000)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if place.exists():
            survived += 1
            break
        refused = subprocess.run([program(), "serve", str(place)], stderr=subprocess.PIPE, text=True)
        assert refused.returncode == 5, refused
    if not survived:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert not list(folder.glob("*.unfinished"))
    with Node(folder) as node:
        node.passwords = {}
        node.login("administrator", DEMO)
    again = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert again.returncode == 6 and "nothing was changed" in again.stderr, again


@scenario
def init_takes_names_and_passwords(folder):
    secrets = folder / "passwords"
    secrets.write_text("anna:one-good-password\nrahma.key:opens the backup\n")
    with Node(folder, exercise=False, init=["--administrator", "anna", "--custodian", "protection=rahma", "--custodian",
                                            "protection=somchai", "--password-file", str(secrets)]) as node:
        made = {a["account"]: a for a in node.made["accounts"]}
        assert set(made) == {"anna", "rahma", "somchai", "custodian.house", "custodian.strategic",
                             "custodian.operational"}, made
        assert made["anna"]["password"] == "one-good-password"
        keys = {k["account"]: k for k in node.made["custodian_keys"]}
        assert keys["rahma"]["passphrase"] == "opens the backup" and os.path.exists(keys["rahma"]["file"])
        node.login("anna").get("/api/accounts").expect(200)
    one = subprocess.run([program(), "init", str(folder / "other"), "--name", "N", "--custodian", "protection=rahma"],
                         stderr=subprocess.PIPE, text=True)
    assert one.returncode == 7 and not (folder / "other").exists(), one
    assert not (folder / "other.unfinished").exists()


@scenario
def what_cannot_be_served_is_said(folder):
    with Node(folder, start=False) as node:
        def serve(*more):
            return subprocess.run([program(), "serve", str(node.dir), *more], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        assert serve("--check").returncode == 0
        for address in ("localhost:80", "127.0.0.1", "127.0.0.1:99999", "1.2.3:80", "unix:relative", "[::1:80"):
            bad = serve("--check", "--listen", address)
            assert bad.returncode == 7 and "address" in bad.stderr, (address, bad)
        store = node.dir / "strategic" / "strategic.db"
        store.rename(folder / "elsewhere")
        lost = serve("--listen", "127.0.0.1:0")
        assert lost.returncode != 0 and "strategic" in lost.stderr, lost
        assert not store.exists(), "a lost store must not be made anew"
        (folder / "elsewhere").rename(store)
        key = node.dir / "keys" / "node.key"
        whole = key.read_bytes()
        key.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert serve("--listen", "127.0.0.1:0").returncode != 0
        key.write_bytes(whole)
        node.start()
        node.login("reporter")


main()
