#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The disk of the strategic vault is full while a file is imported: a clear word, then normal service."""
import os
import shutil
import subprocess

from imports_help import counts, hand_in, imported, over, row, see, summary, table
from node import Node, Skip, main, scenario, until

DISK = 24 << 20


class SmallDisk:
    """The folder of a vault on a tmpfs of its own, for as long as the node is not served."""

    def __init__(self, node, vault, size=DISK):
        self.place, self.kept, self.size = node.dir / vault, node.dir / (vault + ".kept"), size

    def __enter__(self):
        self.place.rename(self.kept)
        self.place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size},mode=0700", "tmpfs", str(self.place)],
                                 stderr=subprocess.PIPE, text=True)
        if mounted.returncode != 0:
            raise Skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        shutil.copytree(self.kept, self.place, dirs_exist_ok=True)
        for path in self.kept.rglob("*"):
            os.chmod(self.place / path.relative_to(self.kept), path.stat().st_mode & 0o777)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.place)], check=False)

    def fill(self, leave):
        """Take all but ${leave} bytes."""
        free = os.statvfs(self.place)
        n = free.f_bavail * free.f_frsize - leave
        with open(self.place / "filler", "wb") as f:
            f.write(bytes(max(0, n)))

    def free(self):
        (self.place / "filler").unlink()


def rows(n):
    return [row(i, Location_of_death="Invented place " + "far away " * 8, Number_Dead=str(i % 5)) for i in range(n)]


@scenario
def an_import_waits_for_room_and_goes_on(folder):
    with Node(folder, start=False) as node, SmallDisk(node, "strategic") as disk:
        try:
            node.start()
            officer = node.login("reporter")
            assert counts(imported(officer, table(rows(50)))) == (50, 50, 0, 0, 0)
            data = table(rows(8000))
            disk.fill(len(data) + (1 << 20))
            id = hand_in(officer, data, "large.csv").json()["id"]

            def waits():
                """the word that there is no room"""
                v = see(officer, id)
                assert v["state"] in ("queued", "running"), v
                return v if v.get("message") else None
            v = until(waits, 30, 0.1)
            assert v["message"].startswith("Waiting: ") and ("full" in v["message"] or "room" in v["message"] or
                                                              "space" in v["message"]), v
            assert v["rows"] < 8000 and v["rows"] == v["added"] + v["same"], v

            # Whole slices only, and what needs no writing is answered.
            listed, _ = summary(officer)
            assert listed["incidents"] == 50 + v["added"], (listed, v)
            more = officer.post("/api/report/imports?file=more.csv", upload=data, timeout=60)
            assert more.status == 503 and more.headers["content-type"] == "application/problem+json", more
            assert "nothing of it was kept" in more.json()["detail"] or "full" in more.json()["detail"], more
            assert not [p for p in (disk.place / "spool").iterdir() if p.name.endswith(".part")]
            page = officer.get("/api/report/incidents?limit=5")
            assert page.status in (200, 503), page  # a reading that cannot be noted in the ledger is refused
            assert "full" in page.body.decode() or page.status == 200, page

            # The other vaults have room.
            node.login("focal.point").get("/api/session").expect(200)

            disk.free()
            done = over(officer, id, 60)
            assert done["state"] == "done" and done["rows"] == 8000 and done["added"] + done["same"] == 8000, done
            assert "message" not in done, done
            assert summary(officer)[0]["incidents"] == 8000
            assert counts(imported(officer, table([row(9000)]))) == (1, 1, 0, 0, 0)
            officer.get("/api/report/incidents?limit=5").expect(200)
            auditor = node.login("strategic.auditor", bearer=True)
            node.cli("ledger", "verify", "--vault", "strategic", session=auditor)
            node.restart()
            assert summary(officer)[0]["incidents"] == 8001
        finally:
            node.stop()


@scenario
def killed_on_a_full_disk_it_goes_on_when_there_is_room(folder):
    with Node(folder, start=False) as node, SmallDisk(node, "strategic") as disk:
        try:
            node.start()
            officer = node.login("reporter")
            data = table(rows(6000))
            disk.fill(len(data) + (1 << 20))
            id = hand_in(officer, data, "large.csv").json()["id"]
            until(lambda: see(officer, id).get("message"), 30, 0.1)
            node.kill("strategic")
            until(lambda: node.pid("strategic"), 10)
            disk.free()
            until(lambda: officer.get("/api/report/imports/" + id).status == 200, 30)
            done = over(officer, id, 60)
            assert done["state"] == "done" and counts(done) == (6000, 6000, 0, 0, 0), done
        finally:
            node.stop()


main()
