#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Run a command with a PostgreSQL of its own.

    with_postgres.py [--databases a,b,c] [--node] COMMAND [ARG ...]

Makes a cluster in a temporary folder, starts it on a Unix socket there (no
port is opened), makes the databases (default: test), sets
    FAIRWAY_TEST_PG       postgresql:///test?host=FOLDER&user=fairway
    FAIRWAY_TEST_PG_BASE  postgresql:///?host=FOLDER&user=fairway
    FAIRWAY_TEST_PG_DATA  the cluster's folder
    FAIRWAY_TEST_PG_CTL   the program pg_ctl, as a shell word list that stops and starts it
    FAIRWAY_TEST_PG_SERVER  postgresql:///?host=FOLDER, for `fairway init --store`
runs the command, and throws everything away.  PostgreSQL refuses to run as
root, so root runs it as the user nobody.  With --node the server is set up for
nodes as packaging/postgresql/databases.sql says, with the passwords
PASSWORD_OF(role), and only with them do roles other than fairway get in.  Without PostgreSQL on the machine it
prints TAP "1..0 # SKIP" and ends well.
"""
import os
import pathlib
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]

def find_bin():
    for folder in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return pathlib.Path(found).parent if found else None


ROLES = ["house", "strategic", "operational", "protection"]


def password_of(role):
    """With the characters that a password file has to escape."""
    return f"sec:ret\\of {role}%"


def set_up_node(run, psql, prefix="fairway"):
    """Roles, databases, passwords."""
    script = (SOURCE / "packaging" / "postgresql" / "databases.sql").read_text()  # which the server's user may not be able to read
    run(psql + ["-v", f"prefix={prefix}", "-f", "-", "postgres"], script)
    for vault in ROLES:
        role = f"{prefix}_{vault}"
        run(psql + ["-c", "ALTER ROLE %s PASSWORD '%s'" % (role, password_of(role)), "postgres"])


def drop_node(run, psql, prefix="fairway"):
    for vault in ROLES:
        run(psql + ["-c", f"DROP DATABASE IF EXISTS {prefix}_{vault} WITH (FORCE)", "postgres"])
        run(psql + ["-c", f"DROP ROLE IF EXISTS {prefix}_{vault}", "postgres"])


def ask_for_passwords(run, psql, data):
    """Of every role but the server's own."""
    (data / "pg_hba.conf").write_text("local all fairway trust\nlocal all all scram-sha-256\n")
    run(psql + ["-c", "SELECT pg_reload_conf()", "postgres"])


def main(argv):
    databases, node = ["test"], False
    while argv and argv[0].startswith("--"):
        if argv[0] == "--node":
            node = True
        else:
            databases = argv[1].split(",")
            argv = argv[1:]
        argv = argv[1:]
    binaries = find_bin()
    if binaries is None:
        print("1..0 # SKIP PostgreSQL is not installed (Debian: postgresql-15)")
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp"))
    as_user = []
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        folder.chmod(0o755)
        as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c logging_collector=off -c max_connections=40"
    ctl = as_user + [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"), "-o", options]

    def quietly(command, script=None):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, text=True, input=script)
        if done.returncode != 0:
            print(done.stdout, file=sys.stderr)
            raise SystemExit(f"{command[0]} failed")

    status = 1
    try:
        quietly(as_user + [str(binaries / "initdb"), "-D", str(data), "-U", "fairway", "-A", "trust", "-E", "UTF8",
                           "--locale=C", "-N"])
        quietly(ctl + ["start"])
        for name in databases:
            quietly(as_user + [str(binaries / "createdb"), "-h", str(folder), "-U", "fairway", name])
        if node:
            psql = as_user + [str(binaries / "psql"), "-X", "-q", "-h", str(folder), "-U", "fairway"]
            set_up_node(quietly, psql)
            ask_for_passwords(quietly, psql, data)
        env = dict(os.environ,
                   FAIRWAY_TEST_PG_SERVER=f"postgresql:///?host={folder}",
                   FAIRWAY_TEST_PG=f"postgresql:///{databases[0]}?host={folder}&user=fairway",
                   FAIRWAY_TEST_PG_BASE=f"postgresql:///?host={folder}&user=fairway",
                   FAIRWAY_TEST_PG_DATA=str(data), FAIRWAY_TEST_PG_CTL=shlex.join(ctl))
        status = subprocess.run(argv, env=env).returncode
    finally:
        if (data / "postmaster.pid").exists():
            subprocess.run(ctl + ["stop", "-m", "immediate"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
