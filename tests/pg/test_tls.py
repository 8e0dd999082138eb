# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node that reaches its database over TCP with TLS: the right server is let in, no other."""
import os
import pathlib
import shutil
import socket
import subprocess

import server
from server import ROLES, ask, control, fresh_databases, passwords

server.skip_without()
from node import Node, main, scenario, until  # noqa: E402

if not shutil.which("openssl"):
    print("1..0 # SKIP openssl is not installed")
    raise SystemExit(0)

DATA = pathlib.Path(os.environ["FAIRWAY_TEST_PG_DATA"])


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    return folder / f"{name}.pem"


def tls_server(folder, name):
    """The server listens on the loopback with a certificate for this name. Returns the authority's and the port."""
    root = authority(folder, "root")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout",
            folder / "db.key", "-out", folder / "db.csr")
    (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", folder / "db.csr", "-CA", root, "-CAkey", folder / "root.key", "-CAcreateserial", "-days", "2",
            "-extfile", folder / "ext", "-out", folder / "db.pem")
    owner = DATA.stat()
    for file in ("db.key", "db.pem"):
        shutil.copy(folder / file, DATA / file)
        (DATA / file).chmod(0o600)
        os.chown(DATA / file, owner.st_uid, owner.st_gid)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    (DATA / "pg_hba.conf").write_text("local all fairway trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
    for line in ("ssl = on", "ssl_cert_file = 'db.pem'", "ssl_key_file = 'db.key'", "listen_addresses = '127.0.0.1'", f"port = {port}"):
        with open(DATA / "postgresql.auto.conf", "a") as conf:
            conf.write(line + "\n")
    # What with_postgres.py says on the command line would win.
    command = os.environ["FAIRWAY_TEST_PG_CTL"].replace("listen_addresses=", "application_name=")
    os.environ["FAIRWAY_TEST_PG_CTL"] = command
    control("restart", "-m", "fast")
    os.environ["PGPORT"] = str(port)  # for psql, by the socket
    return root, port


def init(node, where):
    return node.cli("init", node.dir, "--name", "x", "--exercise", "--store", where, "--password-file",
                    passwords(node.folder / "passwords"), status=None)


@scenario
def a_node_over_tls(folder):
    folder.chmod(0o755)
    root, port = tls_server(folder, "db.example")
    fresh_databases()
    other = authority(folder, "other")
    at = f"postgresql://db.example:{port}/?hostaddr=127.0.0.1"
    node = Node(folder, start=False)
    for where, words in [(f"{at}&sslrootcert={other}", "certificate verify failed"),
                         (f"{at.replace('db.example', 'dc.example')}&sslrootcert={root}", "does not match host name"),
                         (f"{at}&sslrootcert={folder}/absent.pem", "absent.pem"),
                         (f"{at}&sslmode=disable", "no pg_hba.conf entry")]:
        done = init(node, where)
        assert done.returncode != 0 and words in done.stderr, (where, done.stderr)
        assert not node.dir.exists()
    node = Node(folder, init=["--store", f"{at}&sslrootcert={root}", "--password-file", str(passwords(folder / "passwords"))],
                settings={"process.sandbox": "required"})
    with node:
        admin = node.login("administrator")
        assert ask("SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'fairway' "
                   "AND s.ssl AND s.version = 'TLSv1.3'") == "4"
        before = node.children()
        ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fairway'")
        until(lambda: admin.get("/api/accounts").status == 200, 10)  # connected again, from behind the walls
        for vault in ROLES:
            name = next(a for a in sorted(node.passwords) if a.startswith(f"custodian.{vault}"))
            verdict = node.login(name).post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
            assert verdict["verified"], verdict
        assert node.children() == before, "a process died"


main()
