#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node with what packaging/systemd leaves it: users of its own, few capabilities, a socket. As root; without systemd."""
import os
import pathlib
import pwd
import re
import shutil
import subprocess

from node import SOURCE, Node, Skip, main, program, scenario

# Users that every Debian has, in the place of fairway-front and the others.
USERS = {"front": "games", "house": "daemon", "strategic": "mail", "operational": "news", "protection": "lp", "keeper": "bin",
         "reader": "nobody"}


def as_in(unit, folder):
    """A program that runs fairway with the capabilities that a unit keeps."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("only root gives away users and capabilities, and setpriv does it (util-linux)")
    for user in USERS.values():
        try:
            pwd.getpwnam(user)
        except KeyError:
            raise Skip(f"no user {user}, whom every Debian has") from None
    text = (SOURCE / "packaging" / "systemd" / (unit + ".in")).read_text()
    kept = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.M).group(1).lower().replace("cap_", "+").split()
    path = folder / unit
    path.write_text(f"#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=-all,{','.join(kept)} {program()} \"$@\"\n")
    path.chmod(0o755)
    return str(path)


def node_of_users(folder, **more):
    folder.chmod(0o755)
    settings = {"process." + name: user for name, user in USERS.items()}
    (folder / "run").mkdir()
    node = Node(folder, settings=settings, options=["--listen", f"unix:{folder}/run/http.sock"], start=False, **more)
    node.init()
    for name, user in USERS.items():  # as init --users does
        part = node.dir / name
        for path in [part, *part.rglob("*")] if part.is_dir() else ():
            shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    return node


def owners(node):
    """{file: owner} of what lies in the parts of the folder."""
    return {str(p.relative_to(node.dir)): p.stat().st_uid for name in USERS for p in (node.dir / name).rglob("*")
            if not p.name.endswith("-journal")}


def check_owners(node):
    for path, owner in owners(node).items():
        assert owner == pwd.getpwnam(USERS[path.split("/")[0]]).pw_uid, (path, owner)


@scenario
def each_process_runs_as_its_user_with_no_capability(folder):
    node = node_of_users(folder)
    os.environ["FAIRWAY_PROGRAM"], before = as_in("fairway.service", folder), program()
    try:
        with node:
            node.start()
            pids = {k: v for k, v in node.children().items() if k != "reader"}
            for name, pid in pids.items():
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                uid = pwd.getpwnam(USERS[name]).pw_uid
                assert re.search(rf"^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$", status, re.M), (name, status)
                assert re.search(r"^Groups:\s*$", status, re.M), (name, status)
                assert re.search(r"^CapPrm:\t0+$", status, re.M) and re.search(r"^Seccomp:\t2$", status, re.M), (name, status)
            supervisor = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
            held = int(re.search(r"^CapPrm:\t([0-9a-f]+)$", supervisor, re.M).group(1), 16)
            assert held == 1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8, hex(held)  # chown kill setgid setuid setpcap
            socket = os.stat(folder / "run" / "http.sock")
            assert (socket.st_uid, socket.st_mode & 0o777) == (pwd.getpwnam(USERS["front"]).pw_uid, 0o660), socket
            officer = node.login("reporter")
            officer.get("/api/report/incidents").expect(200)
            for name in pids:  # and each comes back
                node.kill(name)
            node.wait_ready(30)
            officer.get("/api/session").expect(200)
            check_owners(node)
            assert node.stop() == 0
            node.start()  # the socket that the front owns is no obstacle
            node.login("reporter")
    finally:
        os.environ["FAIRWAY_PROGRAM"] = before


@scenario
def the_backup_leaves_every_file_its_owner(folder):
    node = node_of_users(folder)
    backup = as_in("fairway-backup.service", folder)
    for running in (True, False):
        if running:
            node.start()
            node.login("reporter")
        out = folder / f"backup-{running}"
        done = subprocess.run([backup, "backup", str(node.dir), "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        assert done.returncode == 0, done.stdout
        assert len(list(out.glob("*.fwbackup"))) == 5, list(out.iterdir())
        check_owners(node)
        if running:
            node.login("reporter")
            assert node.stop() == 0
    node.start()
    node.login("reporter").get("/api/report/incidents").expect(200)
    node.stop()


main()
