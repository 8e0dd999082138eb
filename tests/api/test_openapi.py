#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Schemathesis against a node with the document the node serves: no server error and no undocumented answer.

It makes requests that fit /api/openapi.json and requests that do not, as several accounts of
a demonstration node, and holds each answer to the document: status, content type, headers,
schema.  Schemathesis (PyPI, test tooling only) is put into a folder beside the build the first
time; without a way to PyPI the test is skipped.

Examples an operation and phase: 12, or 400 with FAIRWAY_LONG.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from node import Node, Skip, long, main, scenario  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "allow_header_conformance"]
# They end the session that the tester works with: tried apart, each with a session of its own.
ENDING = ["close_session", "change_password", "revoke_session"]


def tester():
    """The program, installed if it is not there yet."""
    wanted = (HERE / "requirements.txt").read_bytes()
    home = pathlib.Path(os.environ.get("FAIRWAY_BUILD", tempfile.gettempdir())) / "schemathesis"
    program, stamp = home / "bin" / "schemathesis", home / "requirements.sha256"
    digest = hashlib.sha256(wanted).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == digest:
        return program
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        raise Skip("python3-venv is not here")
    got = subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-input",
                          "-r", str(HERE / "requirements.txt")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=600)
    if got.returncode != 0:
        last = got.stdout.strip().splitlines()
        raise Skip("Schemathesis could not be fetched from PyPI: " + (last[-1] if last else "no answer")[:150])
    stamp.write_text(digest)
    return program


def run(node, session, *options):
    examples = "400" if long() else "12"
    command = [str(tester()), "run", node.address + "/api/openapi.json", "-H", "Authorization: Bearer " + session.token,
               "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "-n", examples, "--generation-deterministic",
               "--suppress-health-check", "all", "--request-timeout", "30", "--warnings", "off", "--no-color", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=node.folder)
    assert done.returncode == 0, f"{session.account}:\n{done.stdout}"
    assert "generated" in done.stdout, done.stdout
    return done.stdout


def as_account(account, *options):
    def body(folder):
        tester()
        with Node(folder) as node:
            session = node.login(account, bearer=True)
            run(node, session, *(o for name in ENDING for o in ("--exclude-operation-id", name)), *options)
            # The session lives, and no process died of what it was sent.
            session.get("/api/session").expect(200)
            assert not node.log_lines("process.death"), node.log_tail()
    body.__name__ = "as_" + account.replace(".", "_")
    return scenario(body)


ALWAYS = ["focal.point", "administrator", "custodian.protection.1", "protection.officer"]
NIGHTLY = ["custodian.house", "custodian.strategic", "strategic.auditor", "reporter"]
for name in ALWAYS + (NIGHTLY if long() else []):
    as_account(name)


@scenario
def operations_that_end_the_session(folder):
    tester()
    with Node(folder) as node:
        for name in ENDING:
            run(node, node.login("analyst", bearer=True), "--include-operation-id", name)
        assert not node.log_lines("process.death"), node.log_tail()


@scenario
def nobody_at_all(folder):
    tester()
    with Node(folder) as node:
        stranger = node.nobody()
        stranger.token, stranger.account = "A" * 43, "nobody"
        run(node, stranger)


main()
