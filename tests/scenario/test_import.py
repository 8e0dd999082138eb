#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files of incident reports handed in to a whole node: the published ones, and what people do to files."""
import csv
import datetime
import gzip
import io
import json
import os
import random
import re
import signal
import subprocess

from imports_help import (HEADER, counts, every_incident, expected_totals, hand_in, imported, officer_of_another_agency, over,
                          refused_rows, row, rows_of, see, shared, summary, table)
from node import SOURCE, Node, main, scenario, until

FIRST = "mmp_global_2014_2025-04.csv.gz"
SECOND = "mmp_global_2026-01_2026-04.csv"
DATA = SOURCE / "tests" / "data" / "report"


def synthetic(n, seed=7):
    """JSON Lines of n made-up reports."""
    tool = os.path.join(os.environ.get("FAIRWAY_BUILD", SOURCE / "build"), "tools", "make_incidents")
    return subprocess.run([tool, str(n), str(seed)], check=True, stdout=subprocess.PIPE).stdout


# ---- the published files ----

def check_totals(session, rows, query=""):
    v, totals = summary(session, query)
    assert v["incidents"] == len(rows), (v["incidents"], len(rows))
    for measure, (total, counted, unknown) in expected_totals(rows).items():
        t = totals[measure]
        assert (t["sum"], t["counted"], t["unknown"]) == (total, counted, unknown), (measure, t, total, counted, unknown)
        assert t["not_collected"] == t["withheld"] == 0, t
    for measure, t in totals.items():
        if measure not in expected_totals(rows):
            assert (t["sum"], t["counted"], t["unknown"], t["not_collected"]) == (0, 0, 0, len(rows)), (measure, t)
    return totals


def day_of(cells):
    """The day of a published row as the list gives it: less precise where the source is, "" where it says nothing."""
    text = cells["Incident Date"].strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    m = re.fullmatch(r"\w{3}, (\d\d)/(\d\d)/(\d{4}) - 12:00", text)
    if m:
        return "%s-%s-%s" % (m[3], m[1], m[2])
    year = (cells.get("Incident Year") or cells.get("Year") or "").strip()
    month = (cells.get("Month") or cells.get("Reported Month") or "").strip()
    if not year:
        return ""
    return "%s-%02d" % (year, datetime.datetime.strptime(month, "%B").month) if month else year


def count_of(cells, *names):
    text = cells[next(n for n in names if n in cells)].strip()
    return int(float(text)) if text else "unknown"


@scenario
def the_published_files_go_in_whole(folder):
    """both layouts: every row, every total as Python counts it, the same file twice adds nothing"""
    first, second = shared(FIRST).read_bytes(), shared(SECOND).read_bytes()
    old, new = rows_of(first), rows_of(second)
    assert len(old) == 19255 and len(new) == 238
    with Node(folder) as node:
        officer = node.login("reporter")
        done = imported(officer, first, FIRST, seconds=120)
        assert done["state"] == "done" and done["layout"] == "mmp_1", done
        assert counts(done) == (19255, 19255, 0, 0, 0), done
        totals = check_totals(officer, old)
        assert totals["dead"]["sum"] + totals["missing"]["sum"] == 74376, totals
        negative = [r for r in old if any(r[c].startswith("-") for c in ("Minimum Estimated Number of Missing", "Number of Survivors"))]
        assert len(negative) == 6 and done["flagged"] >= 6

        done = over(officer, hand_in(officer, second, SECOND).json()["id"])
        assert done["layout"] == "mmp_2" and counts(done) == (238, 238, 0, 0, 0), done
        check_totals(officer, old + new)

        # The list says of every row what the file says.
        listed = {}
        for v in every_incident(officer):
            assert v["number"] not in listed, v
            listed[v["number"]] = v
        assert len(listed) == 19255 + 238
        for r in old + new:
            v = listed[(r["Incident ID"].strip() or r["Main ID"].strip()).split(",")[0].strip()]
            assert v["version"] == 1 and v["status"] == "submitted", v
            assert v.get("from", "") == day_of(r), (v, r)
            assert v["dead"] == count_of(r, "Number of Dead", "Number Dead"), (v, r)
            assert v["missing"] == count_of(r, "Minimum Estimated Number of Missing"), (v, r)
            assert v["survivors"] == count_of(r, "Number of Survivors"), (v, r)
            lat, lon = (float(x) for x in r["Coordinates"].split(","))
            assert abs(v["lat"] - lat) < 0.0001 and abs(v["lon"] - lon) < 0.0001, (v, r)
            assert v["precision"] == "area", v

        # Filters by time; what has no date is left out and said to be.
        for year in ("2014", "2020", "2024", "2025", "2026"):
            chosen = [r for r in old + new if day_of(r)[:4] == year]
            v, _ = summary(officer, f"?from={year}-01-01&to={year}-12-31")
            assert v["incidents"] == len(chosen) and v["excluded"] == 19493 - len(chosen), (year, v, len(chosen))
        gap, _ = summary(officer, "?from=2025-04-30&to=2025-12-31")
        assert gap["incidents"] == 0, gap
        # Of two routes in one cell the first counts, and the doubt says so.
        crossing = [r for r in old + new
                    if (r.get("Migration Route") or r.get("Migration route") or "").split(",")[0].strip() == "Central Mediterranean"]
        check_totals(officer, crossing, "?route=central_mediterranean")

        # Again, and by another way of packing: nothing is added.
        again = imported(officer, gzip.decompress(first), "again.csv", seconds=120)
        assert counts(again) == (19255, 0, 0, 19255, 0) and again["state"] == "done", again
        again = imported(officer, second, "again.csv")
        assert counts(again) == (238, 0, 0, 238, 0), again
        check_totals(officer, old + new)
        node.restart()
        check_totals(officer, old + new)
        node.cli("ledger", "verify", "--vault", "strategic", session=node.login("strategic.auditor", bearer=True))


@scenario
def the_published_files_go_in_by_the_command_line(folder):
    path = shared(SECOND)
    rows = rows_of(path.read_bytes())
    with Node(folder) as node:
        officer = node.login("reporter", bearer=True)
        out = node.cli("report", "import", path, "--json", "--refused", folder / "none.csv", session=officer)
        said = json.loads(out.stdout)
        assert said["state"] == "done" and counts(said) == (238, 238, 0, 0, 0), said
        assert not (folder / "none.csv").exists()
        check_totals(officer, rows)
        words = node.cli("report", "import", path, session=officer).stdout
        assert "0 added" in words and "238 already here" in words, words
        listed = node.cli("report", "list", "--json", "--limit", "1000", session=officer).stdout.splitlines()
        assert len(listed) == 238
        assert len(json.loads(node.cli("report", "imports", "--json", session=officer).stdout)["imports"]) == 2


@scenario
def a_made_up_file_goes_in_by_the_command_line(folder):
    """without the shared data: synthetic reports through a pipe, rows that are refused beside the file"""
    lines = synthetic(300)
    with Node(folder) as node:
        officer = node.login("reporter", bearer=True)
        out = node.cli("report", "import", "-", "--json", "--name", "made up.jsonl", session=officer, input=lines)
        said = json.loads(out.stdout)
        assert said["file"] == "made up.jsonl" and said["layout"] == "fairway", said
        assert counts(said) == (300, 300, 0, 0, 0), said
        dead = [json.loads(line)["counts"].get("dead") for line in lines.splitlines()]
        _, totals = summary(officer)
        assert totals["dead"]["sum"] == sum(d for d in dead if isinstance(d, int)), totals["dead"]
        assert totals["dead"]["unknown"] == dead.count("unknown") and totals["dead"]["withheld"] == dead.count("withheld")
        assert all(v["synthetic"] for v in every_incident(officer))

        path = folder / "some.csv"
        path.write_bytes(table([row(1), row(2, Number_Dead="many"), row(3)]))
        out = node.cli("report", "import", path, session=officer, status=None)
        assert out.returncode == 8 or out.returncode != 0, out
        assert "2 added" in out.stdout and "1 refused" in out.stdout and "row 3, Number Dead" in out.stdout, out.stdout
        back = list(csv.reader(io.StringIO((folder / "some.csv.refused.csv").read_text(), newline="")))
        assert back[1][:2] == ["3", "Number Dead"] and back[1][3:] == row(2, Number_Dead="many"), back
        missing = node.cli("report", "import", folder / "nothing.csv", session=officer, status=None)
        assert missing.returncode != 0 and "nothing.csv" in missing.stderr, missing


# ---- the same content in other clothes ----

@scenario
def however_a_file_is_written_it_says_the_same(folder):
    """gzip, line ends, BOM, UTF-16, Windows-1252, semicolons: one content"""
    rows = [row(n, Location_of_death="Invented b\u00e4y, \u201cthe \u20ac one\u201d", Number_Dead=str(n)) for n in range(1, 30)]
    plain = table(rows)
    text = plain.decode()
    forms = {
        "gzip": gzip.compress(plain), "gzip of two members": gzip.compress(plain[:700]) + gzip.compress(plain[700:]),
        "crlf": table(rows, end="\r\n"), "cr": table(rows, end="\r"), "no last line end": plain.rstrip(b"\n"),
        "empty lines": plain.replace(b"\n", b"\n\n"), "bom": b"\xef\xbb\xbf" + plain, "utf-16": text.encode("utf-16"),
        "utf-16be": b"\xfe\xff" + text.encode("utf-16-be"), "windows-1252": text.encode("windows-1252"),
        "semicolons": table(rows, separator=";"), "tabs": table(rows, separator="\t"), "sep=": b"sep=;\r\n" + table(rows, separator=";"),
        "columns turned round": table([r[::-1] for r in rows], header=HEADER[::-1]),
        "capitals": table(rows, header=[h.upper() for h in HEADER]),
        "a column more": table([r + ["more"] for r in rows], header=HEADER + ["Remarks"]),
    }
    with Node(folder) as node:
        officer = node.login("reporter")
        assert counts(imported(officer, plain)) == (29, 29, 0, 0, 0)
        for name, data in forms.items():
            done = imported(officer, data, name)
            assert done["state"] == "done" and counts(done) == (29, 0, 0, 29, 0), (name, done)
        assert {v["place"] for v in every_incident(officer)} == {"Invented b\u00e4y, \u201cthe \u20ac one\u201d"}


@scenario
def a_changed_row_makes_a_new_version(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        rows = [row(n) for n in range(1, 6)]
        imported(officer, table(rows))
        rows[2] = row(3, Number_Dead="", Number_of_Survivors="7")
        done = imported(officer, table(rows + [row(6)]))
        assert counts(done) == (6, 1, 1, 4, 0), done
        listed = {v["number"]: v for v in every_incident(officer)}
        assert listed["X026.T00003"]["version"] == 2 and listed["X026.T00003"]["dead"] == "unknown", listed
        assert listed["X026.T00003"]["survivors"] == 7 and listed["X026.T00002"]["version"] == 1
        v, totals = summary(officer)
        assert v["incidents"] == 6 and (totals["dead"]["sum"], totals["dead"]["unknown"]) == (10, 1), totals
        # Back to what it said first: a third version, not the first one again. Twice in one file: the last word counts.
        rows[2] = row(3)
        done = imported(officer, table(rows + [row(6, Number_Dead="9"), row(6, Number_Dead="8")]))
        assert counts(done) == (7, 0, 3, 4, 0), done
        listed = {v["number"]: v for v in every_incident(officer)}
        assert listed["X026.T00003"]["version"] == 3 and listed["X026.T00006"]["dead"] == 8
        assert listed["X026.T00006"]["version"] == 3
        node.restart()
        assert {v["number"]: v for v in every_incident(officer)} == listed


# ---- files that are none ----

@scenario
def what_is_no_file_of_reports_is_said(folder):
    """each with a clear message, and the node serves as before"""
    good = table([row(1), row(2)])
    packed = gzip.compress(table([row(n) for n in range(1, 400)]))
    bad = {
        "truncated gzip": (packed[:len(packed) // 2], "ends too early"),
        "spoilt gzip": (packed[:200] + b"\xff\xff\xff\xff" + packed[204:], "damaged near byte"),
        "random bytes": (random.Random(5).randbytes(100000), "header"),
        "zeros": (bytes(5000), ""),
        "a picture": (b"\x89PNG\r\n\x1a\n" + random.Random(6).randbytes(3000), "header"),
        "a spreadsheet": (b"PK\x03\x04" + random.Random(7).randbytes(3000), "header"),
        "unknown header": (b"name,age\nInvented,1\n", "row 1"),
        "header names": (b"name,age\nInvented,1\n", "layout"),
        "blanks": (b" \n\r\n \n", "empty"),
        "gzip of nothing": (gzip.compress(b""), "empty"),
        "a huge row": (good + b'X,"' + b"y" * (3 << 20) + b'"\n', "row 4"),
        "too many columns": (good + b"," * 5000 + b"\n", "row 4"),
    }
    with Node(folder) as node:
        officer = node.login("reporter")
        for name, (data, words) in bad.items():
            done = imported(officer, data, name)
            assert done["state"] == "failed", (name, done)
            assert words in done["message"] and "What was written before stays" in done["message"], (name, done["message"])
        hand_in(officer, b"", status=400)
        for layout, status in (("mmp_3", 422), ("mmp_1'--", 422), ("x" * 61, 422)):
            officer.post(f"/api/report/imports?file=a.csv&layout={layout}", upload=good).expect(status)
        for query in ("", "?file=", "?file=" + "a" * 256, "?file=a%0Ab", "?file=a&more=1"):
            officer.post("/api/report/imports" + query, upload=good).expect(400, 422)
        wrong = imported(officer, good, layout="mmp_1")
        assert wrong["state"] == "failed" and "mmp_2" in wrong["message"] and "mmp_1" in wrong["message"], wrong
        wrong = imported(officer, b'{"type":"smuggling"}\n', layout="mmp_2")
        assert wrong["state"] == "failed" and "fairway" in wrong["message"], wrong
        header = imported(officer, table([]), "header only")
        assert header["state"] == "done" and counts(header) == (0, 0, 0, 0, 0), header
        done = imported(officer, good, layout="mmp_2")
        assert done["state"] == "done" and done["same"] + done["added"] == 2, done
        assert not list((node.dir / "strategic" / "spool").iterdir())


@scenario
def a_file_above_the_limit_is_refused(folder):
    with Node(folder, {"http.upload_mib": "1"}) as node:
        officer = node.login("reporter")
        answer = officer.post("/api/report/imports?file=large.csv", upload=table([row(n) for n in range(1, 12000)]))
        assert answer.status == 413 and "1 MiB" in answer.body.decode(), answer
        assert officer.get("/api/report/imports").json()["imports"] == []
        assert not list((node.dir / "strategic" / "spool").iterdir())
        assert counts(imported(officer, table([row(1)]))) == (1, 1, 0, 0, 0)


@scenario
def too_many_refused_rows_stop_an_import(folder):
    with Node(folder, {"import.refused": "50", "import.rows": "3000"}) as node:
        officer = node.login("reporter")
        done = imported(officer, table([row(1)] + [row(n, Number_Dead="many") for n in range(2, 2000)]))
        assert done["state"] == "failed" and "50" in done["message"], done
        assert done["added"] == 1 and 50 <= done["refused"] <= 51, done
        done = imported(officer, table([row(n) for n in range(1, 3500)]))
        assert done["state"] == "failed" and "3000" in done["message"], done
        assert done["rows"] == 3000, done


# ---- refused rows ----

@scenario
def refused_rows_come_back_and_can_be_mended(folder):
    bad = [row(1, Number_Dead="many"), row(2, Number_of_Females="=1+1"), row(3)[:9], row(4) + ["one", "more"],
           row(5, Main_ID="", Incident_ID=""), row(6, Location_of_death="a\0b"),
           row(7, Number_Dead="x", Location_of_death='=cmd|"/c calc"!A1', Information_Source="\t@SUM(1)", URL="+1",
               Source_Quality="-2", Cause_of_Death="'=quoted", Migration_route="\tTab")]
    good = [row(n) for n in range(10, 14)]
    with Node(folder) as node:
        officer = node.login("reporter")
        done = imported(officer, table([good[0]] + bad + good[1:], end="\r\n"))
        assert done["state"] == "done" and counts(done) == (11, 4, 0, 0, 7), done
        back, raw = refused_rows(officer, done["id"])
        assert b"\0" not in raw
        assert back[0] == ["fairway_row", "fairway_column", "fairway_reason"] + HEADER, back[0]
        assert [r[0] for r in back[1:]] == [str(n) for n in range(3, 10)], back
        assert [r[1] for r in back[1:]] == ["Number Dead", "Number of Females", "", "", "Incident ID", "", "Number Dead"], back
        assert all(len(r[2]) > 20 for r in back[1:]), back
        assert back[1][3:] == bad[0] and back[4][3:] == bad[3] and back[3][3:] == bad[2]
        # No cell of it is run by a spreadsheet.
        for r in back[1:]:
            for cell in r:
                assert cell.lstrip()[:1] not in ("=", "+", "-", "@") and cell[:1] != "\t" or re.fullmatch(r"[+-]\d+", cell), r
        # In the import's own words, with row and column.
        stops = [(p["row"], p["column"]) for p in done["problems"] if p["stops"]]
        assert stops == [(int(r[0]), r[1]) for r in back[1:]], stops

        # Mended as a person would, with the three columns left where they are.
        mended = [r[:] for r in back]
        mended[1][3 + HEADER.index("Number Dead")] = "4"
        mended[2][3 + HEADER.index("Number of Females")] = "2"
        mended[3] = back[3][:3] + row(3)
        mended[4] = mended[4][:3 + len(HEADER)]
        mended[5][3:5] = ["X026.T00005", "X026.T00005"]
        mended[6][3:] = row(6)
        mended[7][3 + HEADER.index("Number Dead")] = "1"
        done = imported(officer, table(mended[1:], header=mended[0]), "mended.csv")
        assert counts(done) == (7, 7, 0, 0, 0), done
        # What was guarded reads as it was: the file as it should have been from the start says the same.
        whole = [row(1, Number_Dead="4"), row(2, Number_of_Females="2"), row(3), row(4), row(5), row(6),
                 row(7, Number_Dead="1", Location_of_death='=cmd|"/c calc"!A1', Information_Source="\t@SUM(1)", URL="+1",
                     Source_Quality="-2", Cause_of_Death="'=quoted", Migration_route="\tTab")]
        again = imported(officer, table(whole + good), "whole.csv")
        assert counts(again) == (11, 0, 0, 11, 0), (again, done)
        assert '=cmd|"/c calc"!A1' in {v["place"] for v in every_incident(officer)}

        # Refused again: the row comes back once, with the new reason, not with both.
        twice = [r[:] for r in mended]
        twice[1][3 + HEADER.index("Number Dead")] = "some"
        done = imported(officer, table(twice[1:], header=twice[0]))
        second, _ = refused_rows(officer, done["id"])
        assert second[0] == back[0] and len(second) == 2 and second[1][0] == "2", second
        assert second[1][3:] == row(1, Number_Dead="some"), second


@scenario
def refused_lines_come_back_and_can_be_mended(folder):
    """the same for JSON Lines: a line a row, in a table"""
    lines = synthetic(8).decode().splitlines()
    broken = [lines[0], lines[1].replace('"type":"', '"type":5,"was":"', 1), "=1+1", "not json", lines[2],
              lines[3][:len(lines[3]) // 2], lines[4]]
    with Node(folder) as node:
        officer = node.login("reporter")
        done = imported(officer, "\n".join(broken).encode(), "made.jsonl")
        assert done["state"] == "done" and counts(done) == (7, 3, 0, 0, 4), done
        back, _ = refused_rows(officer, done["id"])
        assert back[0] == ["fairway_row", "fairway_column", "fairway_reason", "line"], back[0]
        assert [r[0] for r in back[1:]] == ["2", "3", "4", "6"] and back[3][3] == "not json" and back[2][3] == "'=1+1", back
        assert back[1][3] == broken[1] and back[4][3] == broken[5]
        mended = [back[0], back[1][:3] + [lines[1]], back[2], back[4][:3] + [lines[3]]]
        done = imported(officer, table(mended[1:], header=mended[0]), "mended.csv")
        assert done["layout"] == "fairway" and counts(done) == (3, 2, 0, 0, 1), done
        third, _ = refused_rows(officer, done["id"])
        assert third[0] == back[0] and third[1][3] == "'=1+1", third
        done = imported(officer, "\n".join(lines[:5]).encode())
        assert counts(done) == (5, 0, 0, 5, 0), done


@scenario
def long_refused_rows_come_back_as_rows(folder):
    """a row too long to keep comes back shortened, and does not swallow the rows behind it"""
    long_text = 'a "quoted" text, ' * 20000
    with Node(folder) as node:
        officer = node.login("reporter")
        done = imported(officer, table([row(1, Number_Dead="x", Location_of_death=long_text), row(2, Number_Dead="y"), row(3)]))
        assert counts(done) == (3, 1, 0, 0, 2), done
        back, _ = refused_rows(officer, done["id"])
        assert len(back) == 3 and len(back[1]) == len(HEADER) + 3, [len(r) for r in back]
        assert "shortened" in back[1][2], back[1][2]
        assert long_text.startswith(back[1][3 + HEADER.index("Location of death")]) and back[1][3] == "X026.T00001"
        assert back[2][3:] == row(2, Number_Dead="y")
        many = [f"Column {n} {'x' * 70}" for n in range(900)]
        done = imported(officer, table([row(4, Number_Dead="z") + ["v"] * 900], header=HEADER + many))
        back, _ = refused_rows(officer, done["id"])
        assert len(back) == 2 and len(back[0]) == len(back[1]) == len(HEADER) + 903, [len(r) for r in back]


@scenario
def refused_rows_go_after_their_time(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        done = imported(officer, table([row(1), row(2, Number_Dead="a secret of nobody")]))
        path = f"/api/report/imports/{done['id']}/refused"
        assert len(refused_rows(officer, done["id"])[0]) == 2
        node.restart(clock=29 * 86400)
        officer = node.login("reporter")
        assert len(refused_rows(officer, done["id"])[0]) == 2
        node.restart(clock=31 * 86400)
        officer = node.login("reporter")
        assert "keep_days" in officer.get(path).expect(404).json()["detail"]
        until(lambda: see(officer, done["id"])["problems"] == [], 10)
        assert counts(see(officer, done["id"])) == counts(done), "the counts stay"
        assert summary(officer)[0]["incidents"] == 1
        until(lambda: len(node.login("strategic.auditor").get("/api/strategic/ledger?event=import.expire").expect(200).json()["entries"]) == 1)
        node.stop()
        left = [p.name for p in (node.dir / "strategic").rglob("*") if p.is_file() and b"a secret of nobody" in p.read_bytes()]
        assert left == [], left


# ---- stopping, dying, going on ----

def slow_file(n):
    return synthetic(n)


@scenario
def an_import_can_be_stopped_in_the_middle(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        id = hand_in(officer, slow_file(20000), "large.jsonl").json()["id"]
        waiting = hand_in(officer, table([row(1)])).json()["id"]
        until(lambda: see(officer, id)["added"] > 500, 30)
        stopped = officer.post(f"/api/report/imports/{id}/cancel").expect(200).json()
        assert stopped["state"] == "cancelled" and 500 < stopped["added"] < 20000, stopped
        assert str(stopped["added"]) in stopped["message"], stopped
        answer = officer.post(f"/api/report/imports/{id}/cancel").expect(409)
        assert "cancelled" in answer.json()["detail"], answer
        assert over(officer, waiting)["added"] == 1, "the next one goes on"
        assert see(officer, id)["added"] == stopped["added"]
        v, _ = summary(officer)
        assert v["incidents"] == stopped["added"] + 1 == len(every_incident(officer)), (v, stopped)
        assert not list((node.dir / "strategic" / "spool").iterdir())
        until(lambda: not node.children()["reader"], 10)
        # One that waits can be stopped too, and the command line does it.
        busy = hand_in(officer, slow_file(20000), "large.jsonl").json()["id"]
        waiting = hand_in(officer, table([row(2)])).json()["id"]
        program = node.login("reporter", bearer=True)
        node.cli("report", "imports", waiting, "--cancel", session=program)
        assert see(officer, waiting)["state"] == "cancelled" and see(officer, waiting)["rows"] == 0
        node.cli("report", "imports", busy, "--cancel", session=program)
        assert over(officer, busy)["state"] == "cancelled"


@scenario
def a_reader_that_dies_fails_its_file_and_nothing_else(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        data = slow_file(20000)
        id = hand_in(officer, data, "large.jsonl").json()["id"]
        until(lambda: see(officer, id)["added"] > 500, 30)
        before = {k: v for k, v in node.children().items() if k != "reader"}
        readers = node.children()["reader"]
        assert len(readers) == 1, readers
        os.kill(readers[0], signal.SIGKILL)
        done = over(officer, id)
        assert done["state"] == "failed" and "reader" in done["message"] and "died" in done["message"], done
        assert f"{done['added']} added" in done["message"], done
        assert {k: v for k, v in node.children().items() if k != "reader"} == before
        v, _ = summary(officer)
        assert v["incidents"] == done["added"], (v, done)
        again = imported(officer, data, "large.jsonl", seconds=120)
        assert again["state"] == "done" and again["added"] == 20000 - done["added"] and again["same"] == done["added"], again


@scenario
def an_interrupted_import_goes_on(folder):
    """the node is stopped, killed, its vault killed: each row goes in once"""
    data, interrupted = slow_file(60000), 0
    with Node(folder) as node:
        officer = node.login("reporter")
        id = hand_in(officer, data, "large.jsonl").json()["id"]
        for how in (node.restart, lambda: node.kill("strategic"), lambda: (node.crash(), node.start())):
            before = see(officer, id)["rows"]
            now = until(lambda: (lambda v: v if v["rows"] > before + 500 or v["state"] == "done" else None)(see(officer, id)), 30, 0.005)
            interrupted += now["state"] != "done"
            how()
            until(lambda: node.pid("strategic") and node.is_ready() and officer.get("/api/report/imports").status == 200, 10)
            assert see(officer, id)["rows"] >= now["rows"], "what was written stays"
        done = over(officer, id, 120)
        assert done["state"] == "done" and counts(done) == (60000, 60000, 0, 0, 0), done
        assert interrupted > 0, "the import was over before anything died"
        assert summary(officer)[0]["incidents"] == 60000
        assert not list((node.dir / "strategic" / "spool").iterdir())
        deaths = [r for r in node.log_lines() if r["level"] == "error" and r["event"] != "process.death"]
        assert not deaths, deaths


# ---- whose it is ----

@scenario
def agencies_do_not_see_each_others_imports(folder):
    with Node(folder) as node:
        officer, other = node.login("reporter"), officer_of_another_agency(node)
        mine = imported(officer, table([row(1), row(2, Number_Dead="many")]))
        theirs = imported(other, table([row(1), row(3)]))
        assert counts(theirs) == (2, 2, 0, 0, 0), "the same number of another agency is another report"
        for session, own, not_own in ((officer, mine, theirs), (other, theirs, mine)):
            listed = session.get("/api/report/imports").expect(200).json()["imports"]
            assert [v["id"] for v in listed] == [own["id"]], listed
            for method, path in (("GET", ""), ("GET", "/refused"), ("POST", "/cancel")):
                hidden = session.request(method, f"/api/report/imports/{not_own['id']}{path}").expect(404)
                never = session.request(method, f"/api/report/imports/{'0' * 8}-0000-7000-8000-{'0' * 12}{path}").expect(404)
                assert hidden.json()["detail"] == never.json()["detail"]
            assert summary(session)[0]["incidents"] == own["added"]
        focal = node.login("focal.point")
        assert {v["id"] for v in focal.get("/api/report/imports").json()["imports"]} == {mine["id"], theirs["id"]}
        assert summary(focal)[0]["incidents"] == 3
        analyst = node.login("analyst")
        analyst.get("/api/report/imports").expect(403)
        analyst.post("/api/report/imports?file=a.csv", upload=table([row(9)])).expect(403)
        node.nobody().post("/api/report/imports?file=a.csv", upload=table([row(9)])).expect(401)


@scenario
def an_agency_may_not_queue_without_end(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        first = hand_in(officer, slow_file(20000)).json()["id"]
        statuses = []
        for n in range(25):
            answer = officer.post("/api/report/imports?file=a.csv", upload=table([row(n + 1)]))
            statuses.append(answer.status)
        assert 202 in statuses and (503 in statuses or 429 in statuses), statuses
        officer.post(f"/api/report/imports/{first}/cancel").expect(200)
        until(lambda: all(v["state"] in ("done", "cancelled") for v in officer.get("/api/report/imports").json()["imports"]), 30)
        assert summary(officer)[0]["incidents"] >= statuses.count(202)


main()
