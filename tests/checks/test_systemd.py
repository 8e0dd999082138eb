#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""packaging/systemd: units, users and folders say what the program needs, and no more.

  - Every unit parses, names a subcommand that there is, and has each line of HARDENED.
  - A user for each process that settings.tbl knows, with the names that `fairway init --users fairway` asks for.
  - Every system call that sandbox.c lets a process make is let through by the unit's own filter.
  - systemd-analyze finds no fault in them, and the exposure that it counts stays below a limit.
  - systemd-sysusers and systemd-tmpfiles take the files, in a root of their own.

The last three need systemd's programs (not a running systemd) and skip without them.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ROOT / "packaging" / "systemd"
SERVICES = ["fairway.service.in", "fairway-backup.service.in"]
sys.path.insert(0, str(ROOT / "tools"))
import tables  # noqa: E402

HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
    "PrivateMounts": "yes", "PrivateNetwork": "yes", "ProtectProc": "invisible", "ProcSubset": "pid", "ProtectClock": "yes",
    "ProtectControlGroups": "yes", "ProtectHostname": "yes", "ProtectKernelLogs": "yes", "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes", "RestrictAddressFamilies": "AF_UNIX", "RestrictNamespaces": "yes", "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes", "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "SystemCallArchitectures": "native",
    "IPAddressDeny": "any", "LimitCORE": "0", "UMask": "0077", "KeyringMode": "private",
}
EXPOSURE = "20"  # tenths; systemd says OK up to 5.0, and the services of Debian are mostly above 9


def parse(path):
    """{section: {key: [values]}}; comments and continued lines as systemd.syntax(7) has them."""
    found, section = {}, None
    for number, line in enumerate(path.read_text().replace("\\\n", " ").splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = found.setdefault(line[1:-1], {})
            continue
        key, equals, value = line.partition("=")
        assert section is not None and equals and re.fullmatch(r"[A-Z][A-Za-z]*", key), f"{path.name}:{number}: {line}"
        section.setdefault(key, []).append(value)
    return found


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise unittest.SkipTest(f"no {name} on this machine")
    return path


def filled(folder):
    """The units as they are installed, with a program that there is."""
    program = folder / "fairway"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS.glob("*.in"):
        (folder / path.stem).write_text(path.read_text().replace("@BINDIR@", str(folder)))
    for path in UNITS.glob("*.timer"):
        shutil.copy(path, folder)
    return sorted(str(p) for p in folder.iterdir() if p.suffix in (".service", ".timer"))


class Units(unittest.TestCase):
    def test_every_line_that_protects_is_there(self):
        for name in SERVICES:
            service = parse(UNITS / name)["Service"]
            for key, value in HARDENED.items():
                self.assertEqual(service.get(key), [value], f"{name}: {key}")

    def test_only_what_is_needed_is_kept(self):
        kept = {name: set(parse(UNITS / name)["Service"]["CapabilityBoundingSet"][0].split()) for name in SERVICES}
        self.assertEqual(kept["fairway.service.in"], {"CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_CHOWN", "CAP_SETPCAP"})
        self.assertEqual(kept["fairway-backup.service.in"], {"CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"})
        for name, folders in (("fairway.service.in", {"/var/lib/fairway"}),
                              ("fairway-backup.service.in", {"/var/lib/fairway", "/var/backups/fairway"})):
            self.assertEqual(set(" ".join(parse(UNITS / name)["Service"]["ReadWritePaths"]).split()), folders)

    def test_they_run_subcommands_that_there_are(self):
        commands = {c.command for c in tables.load(ROOT / "src" / "tbl").commands}
        for name in SERVICES:
            unit = parse(UNITS / name)
            said = re.search(r"@BINDIR@/fairway (\w+)", unit["Service"]["ExecStart"][0])
            self.assertTrue(said and said.group(1) in commands, unit["Service"]["ExecStart"])
            page = re.fullmatch(r"man:fairway-(\w+)\(1\)", unit["Unit"]["Documentation"][0])
            self.assertTrue(page and page.group(1) in commands, unit["Unit"]["Documentation"])

    def test_the_end_is_given_the_time_it_takes(self):
        service = parse(UNITS / "fairway.service.in")["Service"]
        text = (ROOT / "src" / "node" / "process" / "supervisor.c").read_text()
        step = int(re.search(r"STOP_MS = (\d+)", text).group(1)) / 1000
        steps = int(re.search(r"LAST_STEP = (\d+)", text).group(1))
        self.assertGreater(int(service["TimeoutStopSec"][0]), step * steps)
        self.assertEqual((service["Type"], service["KillMode"]), (["notify"], ["mixed"]))

    def test_the_backup_has_its_timer(self):
        timer = parse(UNITS / "fairway-backup.timer")["Timer"]
        self.assertEqual(timer["Persistent"], ["true"])
        self.assertTrue((UNITS / "fairway-backup.service.in").exists())


class Users(unittest.TestCase):
    def lines(self):
        return [line.split() for line in (UNITS / "sysusers.conf").read_text().splitlines() if line and line[0] != "#"]

    def test_each_process_has_one(self):
        settings = [s.key for s in tables.load(ROOT / "src" / "tbl").settings if s.section == "process" and s.key != "sandbox"]
        users = [words[1] for words in self.lines() if words[0] == "u"]
        self.assertEqual(sorted(users), sorted("fairway-" + name for name in settings))

    def test_nobody_can_log_in_as_one(self):
        for words in self.lines():
            if words[0] == "u":
                self.assertEqual(words[-2:], ["-", "-"], "no home, no shell")

    def test_the_proxy_shares_the_socket_and_nothing_else(self):
        self.assertEqual([words[1:] for words in self.lines() if words[0] == "m"], [["www-data", "fairway-front"]])


class Systemd(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def run_tool(self, *words):
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)

    def test_it_finds_no_fault(self):
        analyze = tool("systemd-analyze")
        done = self.run_tool(analyze, "verify", "--man=no", *filled(self.path))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_it_finds_the_fault_of_a_broken_unit(self):
        analyze = tool("systemd-analyze")
        filled(self.path)
        bad = self.path / "fairway.service"
        bad.write_text(bad.read_text().replace("ProtectHome=yes", "ProtectHouse=yes"))
        self.assertIn("ProtectHouse", self.run_tool(analyze, "verify", "--man=no", str(bad)).stdout)

    def test_little_is_exposed(self):
        analyze = tool("systemd-analyze")
        for unit in filled(self.path):
            if unit.endswith(".service"):
                done = self.run_tool(analyze, "security", "--offline=true", "--no-pager", "--threshold=" + EXPOSURE, unit)
                self.assertEqual(done.returncode, 0, done.stdout)

    def calls_of(self, analyze, sets):
        found = set()
        for name in sets:
            if not name.startswith("@"):
                found.add(name)
                continue
            lines = self.run_tool(analyze, "syscall-filter", name).stdout.splitlines()[1:]
            found |= self.calls_of(analyze, [w for w in (line.strip() for line in lines) if w and w[0] != "#"])
        return found

    def test_the_filter_lets_through_what_the_walls_allow(self):
        analyze = tool("systemd-analyze")
        for name in SERVICES[:1]:
            allowed = set()
            for value in parse(UNITS / name)["Service"]["SystemCallFilter"]:
                if value.startswith("~"):
                    allowed -= self.calls_of(analyze, value[1:].split())
                else:
                    allowed |= self.calls_of(analyze, value.split())
            code = re.sub(r"/\*.*?\*/", "", (ROOT / "src" / "node" / "process" / "sandbox.c").read_text(), flags=re.S)
            code = re.sub(r"SCMP_ACT_ERRNO\(\w+\), SCMP_SYS\(\w+\)", "", code)  # those are refused
            code = re.sub(r"#ifdef FW_SANITIZED.*?#e(?:lse|ndif)", "", code, flags=re.S)
            wanted = set(re.findall(r"SCMP_SYS\((\w+)\)", code))
            self.assertGreater(len(wanted), 80)
            self.assertEqual(sorted(wanted - allowed), [])
            # Before the walls: what starts a process and puts them up.
            self.assertEqual({"execve", "clone", "setresuid", "setresgid", "setgroups", "capset", "prctl", "socketpair", "kill",
                              "wait4", "signalfd4", "chown", "bind", "listen"} - allowed, set())

    def test_users_and_folders_are_made(self):
        sysusers, tmpfiles = tool("systemd-sysusers"), tool("systemd-tmpfiles")
        (self.path / "etc").mkdir()
        (self.path / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/bin/false\n")
        (self.path / "etc" / "group").write_text("root:x:0:\nwww-data:x:33:\n")
        done = self.run_tool(sysusers, f"--root={self.path}", str(UNITS / "sysusers.conf"))
        passwd, group = ((self.path / "etc" / name).read_text() for name in ("passwd", "group"))
        self.assertNotIn("not a valid", done.stdout)
        if done.returncode != 0 and "fairway-front" not in passwd:
            self.skipTest(f"systemd-sysusers cannot work here: {done.stdout.strip()[-200:]}")
        made = {line.split(":")[0]: line.split(":") for line in passwd.splitlines() if line.startswith("fairway-")}
        self.assertEqual(len(made), 7, passwd)
        self.assertEqual(len({words[2] for words in made.values()}), 7, "each has an id of its own")
        self.assertTrue(all(words[6].endswith("nologin") for words in made.values()), passwd)
        self.assertRegex(group, r"(?m)^fairway-front:x?:\d+:www-data$")
        done = self.run_tool(tmpfiles, f"--root={self.path}", "--create", str(UNITS / "tmpfiles.conf"))
        self.assertEqual(oct((self.path / "var" / "backups" / "fairway").stat().st_mode & 0o777), "0o700", done.stdout)
        self.assertEqual(oct((self.path / "var" / "lib" / "fairway").stat().st_mode & 0o777), "0o711", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
