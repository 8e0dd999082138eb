# SPDX-License-Identifier: AGPL-3.0-or-later
"""The PostgreSQL of a test, as with_postgres.py --node made it: asked past the node, stopped, started."""
import os
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from with_postgres import ROLES, find_bin, password_of  # noqa: E402

SERVER = os.environ.get("FAIRWAY_TEST_PG_SERVER")


def skip_without():
    """To be called before anything else; with_postgres.py has said why it is not there."""
    if not SERVER:
        print("1..0 # SKIP run this under with_postgres.py --node")
        sys.exit(0)


def folder():
    return SERVER.split("host=", 1)[1].split("&")[0]


def ask(sql, database="postgres", role="fairway", password=None):
    """What psql prints for it, or its error as an exception's words."""
    done = subprocess.run([str(find_bin() / "psql"), "-X", "-A", "-t", "-w", "-h", folder(), "-U", role, "-c", sql, database],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, PGPASSWORD=password or "", PGPASSFILE="/dev/null"))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def control(*words):
    subprocess.run(shlex.split(os.environ["FAIRWAY_TEST_PG_CTL"]) + list(words), cwd="/tmp", stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)


def passwords(path, prefix="fairway"):
    """A file for init --password-file."""
    path = pathlib.Path(path)
    path.write_text("".join(f"store.{vault}:{password_of(f'{prefix}_{vault}')}\n" for vault in ROLES))
    path.chmod(0o600)
    return path


def fresh_databases(prefix="fairway"):
    """Roles and databases as packaging/postgresql makes them; those of an earlier scenario go."""
    from with_postgres import drop_node, set_up_node

    def run(words, script=None):
        subprocess.run(words, cwd="/tmp", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, input=script)
    psql = [str(find_bin() / "psql"), "-X", "-q", "-h", folder(), "-U", "fairway"]
    drop_node(run, psql, prefix)
    set_up_node(run, psql, prefix)
