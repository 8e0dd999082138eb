#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""One report after another: written, seen, corrected, exported, a person handed over; who may and who may not; what the ledger says."""
import csv
import io
import json
import pathlib
import urllib.parse

import sys

from node import SOURCE, Node, main, scenario, until

sys.path.insert(0, str(SOURCE / "tools"))
import tables  # noqa: E402

FULL = {
    "number": "X-1", "type": "rescue", "outcome": "actual", "manner": "clandestine",
    "when": {"from": "2026-03-05", "to": "2026-03-06", "detected": "2026-03-06T04:10:00Z"},
    "place": {"country": "MYS", "text": "Off the coast, exercise area", "lat": 5.1234567, "lon": 98.5, "precision": "about"},
    "journey": {"origin": "BGD", "destination": "MYS", "direction": "in", "legs": [{"place": "A beach", "country": "BGD", "date": "2026-02"}]},
    "counts": {"persons": 60, "dead": 2, "missing": "unknown", "survivors": 58, "children": "withheld"},
    "counts_are": "minimum",
    "people": [{"nationality": "BGD", "sex": "female", "count": 20}, {"nationality": "MMR", "count": "unknown"}],
    "harm": {"causes": ["drowning"]},
    "text": "Written for an exercise.",
}


def codes(session, book):
    books = session.get("/api/report/codebooks").expect(200).json()["codebooks"]
    return [v["code"] for v in next(b for b in books if b["name"] == book)["values"]]


def fitting(session, **changes):
    """FULL with codes that the node's codebooks have."""
    report = json.loads(json.dumps(FULL))
    report["type"] = codes(session, "incident_type")[0]
    report["place"]["precision"] = codes(session, "precision")[0]
    report["harm"]["causes"] = [codes(session, "cause")[0]]
    report["people"][0]["sex"] = codes(session, "sex")[0]
    report.update(changes)
    return report


def within(part, whole, place=""):
    """Every value of part stands in whole."""
    if isinstance(part, dict):
        for name, value in part.items():
            assert name in whole, f"{place}.{name} is missing"
            within(value, whole[name], f"{place}.{name}")
    elif isinstance(part, list):
        assert len(part) == len(whole), f"{place}: {len(whole)} for {len(part)}"
        for i, value in enumerate(part):
            within(value, whole[i], f"{place}[{i}]")
    else:
        if isinstance(part, str) and part.endswith("Z"):
            whole = whole.replace(".000000Z", "Z")  # the same instant
        assert part == whole, f"{place}: {whole!r} for {part!r}"


def events(node, login, vault="strategic"):
    found = node.login(login).get(f"/api/{vault}/ledger").expect(200).json()["entries"]
    return [e for e in found]


@scenario
def a_report_is_written_and_seen_as_it_was_written(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        report = fitting(officer)
        made = officer.post("/api/report/incidents", report).expect(201).json()
        within(report, made)
        assert made["version"] == 1 and made["latest"] == 1 and made["status"] == "submitted", made
        assert made["synthetic"] is True, "a node for exercises holds nothing else"
        assert made["personal"] is True, "withheld children make it personal"
        seen = officer.get("/api/report/incidents/" + made["id"]).expect(200).json()
        assert seen == made, (seen, made)
        page = officer.get("/api/report/incidents").expect(200).json()
        assert page["total"] == 1 and page["incidents"][0]["id"] == made["id"], page
        assert page["incidents"][0]["missing"] == "unknown" and page["incidents"][0]["dead"] == 2, page
        totals = {t["measure"]: t for t in officer.get("/api/report/summary").expect(200).json()["totals"]}
        assert totals["dead"]["sum"] == 2 and totals["dead"]["counted"] == 1, totals["dead"]
        assert totals["missing"]["unknown"] == 1 and totals["missing"]["counted"] == 0, totals["missing"]
        assert totals["children"]["withheld"] == 1 and totals["injured"]["not_collected"] == 1, totals
        node.restart()
        officer = node.login("reporter")
        assert officer.get("/api/report/incidents/" + made["id"]).expect(200).json() == made


@scenario
def a_report_without_a_number_gets_one_and_a_draft_stays_one(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        report = fitting(officer, status="draft")
        del report["number"]
        a, b = (officer.post("/api/report/incidents", report).expect(201).json() for _ in range(2))
        assert a["number"] != b["number"] and len(a["number"]) > 8, (a["number"], b["number"])
        assert a["status"] == "draft"


@scenario
def what_makes_no_sense_is_refused_with_its_place(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        good = fitting(officer)
        bad = [
            ({"type": "no_such_kind"}, "type"),
            ({"counts": {"dead": "many"}}, "counts.dead"),
            ({"when": {"from": "2026-02-30"}}, "when.from"),
            ({"when": {"from": "2026-03-05", "to": "2026-03-01"}}, "when.to"),
            ({"place": {"lat": 5.0}}, "place.lat"),
            ({"place": {"lat": 95.0, "lon": 1.0}}, "place.lat"),
            ({"people": [{"count": 1}, {"nationality": "XX", "count": 1}]}, "people[1].nationality"),
            ({"fees": [{"low": 10, "high": 5, "currency": "USD"}]}, "fees"),
            ({"based_on": 1}, "based_on"),
            ({"owner": "x"}, "owner"),
            ({"provenance": {"system": "iom_mmp"}}, "provenance"),
        ]
        for change, place in bad:
            answer = officer.post("/api/report/incidents", dict(good, **change))
            assert answer.status == 422, (change, answer)
            problem = answer.json()
            assert place in problem.get("place", "") + problem["detail"], (change, problem)
            assert len(problem["detail"]) > 10, problem
        missing = dict(good)
        del missing["type"]
        officer.post("/api/report/incidents", missing).expect(422)
        assert officer.get("/api/report/incidents").json()["total"] == 0, "nothing of it was kept"


@scenario
def a_correction_supersedes_and_the_older_version_stays(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        report = fitting(officer)
        made = officer.post("/api/report/incidents", report).expect(201).json()
        path = "/api/report/incidents/" + made["id"]
        second = dict(report, based_on=1, counts={"persons": 61, "dead": 3})
        corrected = officer.put(path, second).expect(200).json()
        assert corrected["version"] == 2 and corrected["latest"] == 2 and corrected["counts"]["dead"] == 3, corrected
        assert [v["version"] for v in corrected["versions"]] == [2, 1] and corrected["versions"][0]["reason"] == "corrected"
        old = officer.get(path + "?version=1").expect(200).json()
        assert old["version"] == 1 and old["latest"] == 2 and old["counts"]["dead"] == 2, old
        officer.get(path + "?version=3").expect(404)
        stale = officer.put(path, second)
        assert stale.status == 409 and stale.code == "FW_ECONFLICT", stale
        officer.put(path, dict(report)).expect(422)
        officer.put(path, dict(second, based_on=7)).expect(409)
        page = officer.get("/api/report/incidents").json()
        assert page["total"] == 1 and page["incidents"][0]["dead"] == 3 and page["incidents"][0]["version"] == 2
        without = dict(second, based_on=2)
        del without["number"]
        assert officer.put(path, without).expect(200).json()["number"] == "X-1", "the number stays"


@scenario
def of_two_who_correct_at_once_one_is_told(folder):
    with Node(folder) as node:
        officers = [node.login("reporter") for _ in range(2)]
        report = fitting(officers[0])
        made = officers[0].post("/api/report/incidents", report).expect(201).json()
        import threading
        for version in range(1, 6):
            answers = [None, None]

            def correct(i):
                answers[i] = officers[i].put("/api/report/incidents/" + made["id"], dict(report, based_on=version))

            threads = [threading.Thread(target=correct, args=(i,)) for i in range(2)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert sorted(a.status for a in answers) == [200, 409], answers


@scenario
def an_agency_sees_its_own_and_the_focal_point_all(folder):
    with Node(folder) as node:
        admin, custodian = node.login("administrator"), node.login("custodian.strategic")
        agency = admin.post("/api/agencies", {"code": "OTHER", "name": "Another agency (exercise)"}).expect(201).json()
        new = admin.post("/api/accounts", {"account": "other.reporter", "display": "Other Example", "agency": agency["id"]}).expect(201).json()
        node.passwords["other.reporter"] = new["password"]
        custodian.post("/api/strategic/grants", {"account": "other.reporter", "role": "reporter"})
        other = node.login("other.reporter")
        custodian.post("/api/strategic/grants", {"account": "other.reporter", "role": "reporter"})
        until(lambda: other.get("/api/report/incidents").status == 200)
        officer, focal = node.login("reporter"), node.login("focal.point")
        mine = officer.post("/api/report/incidents", fitting(officer)).expect(201).json()
        theirs = other.post("/api/report/incidents", fitting(other, number="X-2")).expect(201).json()
        for session, sees in ((officer, {mine["id"]}), (other, {theirs["id"]}), (focal, {mine["id"], theirs["id"]})):
            page = session.get("/api/report/incidents").expect(200).json()
            assert {i["id"] for i in page["incidents"]} == sees and page["total"] == len(sees), page
            overview = session.get("/api/report/overview").expect(200).json()
            assert {i for i in overview["id"]} == {i.replace("-", "") for i in sees}, overview
            assert session.get("/api/report/summary").json()["incidents"] == len(sees)
        path = "/api/report/incidents/" + theirs["id"]
        officer.get(path).expect(404)
        officer.put(path, fitting(officer, based_on=1)).expect(404)
        officer.post(path + "/referrals", {"needs": [codes(officer, "need")[0]], "urgency": "now"}).expect(404)
        if agency["id"] != mine["owner"]:
            focal.put(path, fitting(focal, based_on=1)).expect(403)


@scenario
def a_person_is_handed_over_and_only_a_receipt_comes_back(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        made = officer.post("/api/report/incidents", fitting(officer)).expect(201).json()
        path = f"/api/report/incidents/{made['id']}/referrals"
        need = codes(officer, "need")[0]
        officer.post(path, {"needs": ["no_such_need"], "urgency": "now"}).expect(422)
        officer.post(path, {"needs": [], "urgency": "now"}).expect(422)
        node.kill("protection")  # it may be down: nothing is lost
        handed = officer.post(path, {"needs": [need], "urgency": "now", "note": "Water first. Exercise."}).expect(202).json()
        listed = until(lambda: (lambda l: l if l[0].get("receipt") else None)(officer.get(path).expect(200).json()["handed_over"]), 20)
        assert [h["id"] for h in listed] == [handed["id"]], listed
        protection = node.login("protection.officer")
        referrals = protection.get("/api/protection/referrals").expect(200).json()["referrals"]
        assert len(referrals) == 1 and referrals[0]["receipt"] == listed[0]["receipt"], referrals
        assert referrals[0]["needs"] == [need] and referrals[0]["note"] == "Water first. Exercise." and referrals[0]["urgency"] == "now"
        for nobody in ("reporter", "focal.point", "administrator", "custodian.strategic", "protection.auditor", "custodian.protection.1"):
            node.login(nobody).get("/api/protection/referrals").expect(403)
        assert "Water first" not in json.dumps(officer.get("/api/report/incidents/" + made["id"]).json())
        node.stop()
        left = [p.name for v in ("strategic", "house", "operational") for p in (node.dir / v).rglob("*") if p.is_file() and b"Water first" in p.read_bytes()]
        assert left == [], f"what was handed over lives on in {left}"
        assert any(b"Water first" in p.read_bytes() for p in (node.dir / "protection").glob("protection.db*"))


@scenario
def readings_of_personal_reports_are_in_the_ledger_and_others_are_not(folder):
    with Node(folder) as node:
        officer = node.login("reporter")
        many = fitting(officer, number="M", counts={"persons": 60, "dead": 10}, people=[])
        few = fitting(officer, number="F", counts={"persons": 3}, people=[])
        crowd = officer.post("/api/report/incidents", many).expect(201).json()
        person = officer.post("/api/report/incidents", few).expect(201).json()
        assert crowd["personal"] is False and person["personal"] is True

        def count(event):
            return sum(e["event"] == event for e in node.login("strategic.auditor").get("/api/strategic/ledger").expect(200).json()["entries"])

        officer.get("/api/report/incidents/" + crowd["id"]).expect(200)
        assert count("incident.read") == 0
        officer.get("/api/report/incidents/" + person["id"]).expect(200)
        assert count("incident.read") == 1
        officer.get("/api/report/incidents").expect(200)
        assert count("incident.list") == 1
        assert count("incident.write") == 2


@scenario
def a_custodian_erases_a_report_and_nothing_of_it_is_left(folder):
    with Node(folder) as node:
        focal, custodian = node.login("focal.point"), node.login("custodian.strategic")
        report = fitting(focal, number="GONE-1")
        report["place"]["text"] = "A cove that must be forgotten"
        lines = json.dumps(dict(report, provenance={"system": "fairway", "source_id": "GONE-1"})).encode() + b"\n"

        def bring(upload):
            handed = focal.post("/api/report/imports?file=gone.jsonl", upload=upload).expect(202).json()
            return until(lambda: (lambda i: i if i["state"] in ("done", "failed") else None)(focal.get("/api/report/imports/" + handed["id"]).json()))

        assert bring(lines)["added"] == 1
        gone = focal.get("/api/report/incidents").json()["incidents"][0]["id"]
        focal.put("/api/report/incidents/" + gone, dict(report, based_on=1, counts={"dead": 5})).expect(200)
        stays = focal.post("/api/report/incidents", fitting(focal, number="STAYS")).expect(201).json()["id"]
        path = f"/api/report/incidents/{gone}/erase"
        for nobody in ("focal.point", "reporter", "analyst", "strategic.auditor", "administrator", "custodian.house"):
            node.login(nobody).post(path, {"reason": "Not allowed to"}).expect(403)
        custodian.post(path, {"reason": ""}).expect(422)
        custodian.post(f"/api/report/incidents/{stays[:-4]}0000/erase", {"reason": "No such report"}).expect(404)
        custodian.post(path, {"reason": "Request of the person concerned (exercise)"}).expect(204)
        custodian.post(path, {"reason": "Once more"}).expect(404)
        focal.get("/api/report/incidents/" + gone).expect(404)
        page = focal.get("/api/report/incidents").json()
        assert [i["id"] for i in page["incidents"]] == [stays] and page["total"] == 1, page
        assert focal.get("/api/report/overview").json()["n"] == 1
        done = bring(lines)
        assert (done["added"], done["changed"]) == (0, 0), done
        done = bring(lines.replace(b'"persons": 60', b'"persons": 61'))
        assert (done["added"], done["changed"], done["refused"]) == (0, 0, 1) and "erased" in done["problems"][0]["text"], done
        events = [e["event"] for e in node.login("strategic.auditor").get("/api/strategic/ledger").json()["entries"]]
        assert events.count("incident.erase") == 1, events
        assert node.login("strategic.auditor").post("/api/strategic/ledger/verify", {}).expect(200).json()["verified"]
        node.restart()
        assert node.login("focal.point").get("/api/report/incidents").json()["total"] == 1
        node.stop()
        left = [p.name for p in (node.dir / "strategic").rglob("*") if p.is_file() and b"must be forgotten" in p.read_bytes()]
        assert left == [], left


# What breaks out of SQL, HTML, JSON, CSV, a template, a log line, a terminal, a path, or of the direction of a line.
NASTY = [
    "'; DROP TABLE report_incident; --", '" OR ""="', "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>",
    "{{7*7}} ${7*7} %s %n $1", "=HYPERLINK(\"http://x\")", "line\r\nSet-Cookie: a=b\x1b[2J", "../../../etc/passwd", "\u202egnp.exe\u202c \u0627\u0644\u0633\u0644\u0627\u0645 \U0001F9ED",
    "\\u0000 \\x00 \\", "\ufeff\ufffd\u2028\u2029",
]


def filled(session, every, shape, text, books):
    """All fields of a shape, each text field with ${text}."""
    def one(v, name):
        if v.type == "string":
            cut = text.encode()[: int(v.max)].decode(errors="ignore")
            return cut if len(cut.encode()) >= int(v.min) else "x" * int(v.min)
        return {"int": lambda: max(int(v.min), 1), "real": lambda: 1.5, "bool": lambda: True, "uuid": lambda: "00000000-0000-7000-8000-000000000001",
                "time": lambda: "2026-03-05T00:00:00Z", "date": lambda: "2026-03-05", "count": lambda: 3, "enum": lambda: v.choices[0],
                "code": lambda: books[v.codebook][0], "shape": lambda: filled(session, every, v.shape, text, books)}[v.type]()
    return {f.name: [one(f.value, f.name)] if f.value.array else one(f.value, f.name) for f in every.shape[shape].fields
            if f.name != "based_on"}


@scenario
def whatever_is_typed_into_whichever_field_stays_text(folder):
    every = tables.load(SOURCE / "src" / "tbl")
    with Node(folder) as node:
        focal = node.login("focal.point")
        books = {b["name"]: [v["code"] for v in b["values"]] for b in focal.get("/api/report/codebooks").expect(200).json()["codebooks"]}
        made = []
        for text in NASTY:
            report = filled(focal, every, "NewIncident", text, books)
            answer = focal.post("/api/report/incidents", report)
            assert answer.status == 201, (text, answer)
            within({k: v for k, v in report.items() if k != "synthetic"}, answer.json())
            made.append((report, answer.json()["id"]))
        page = focal.get("/api/report/incidents").expect(200).json()
        assert page["total"] == len(NASTY), page
        for report, id in made:
            seen = focal.get("/api/report/incidents/" + id).expect(200)
            assert seen.headers["content-type"] == "application/json" and seen.headers["x-content-type-options"] == "nosniff", seen.headers
            within({k: v for k, v in report.items() if k != "synthetic"}, seen.json())
            correction = dict(report, based_on=1)
            within({"text": report["text"]}, focal.put("/api/report/incidents/" + id, correction).expect(200).json())
        lines = [json.loads(line) for line in focal.get("/api/report/export?format=jsonl", headers={"X-Fairway-Purpose": "statistics"}).expect(200).body.split(b"\n") if line]
        assert sorted(line["text"] for line in lines) == sorted(report["text"] for report, _ in made)
        for text in NASTY:
            quoted = urllib.parse.quote(text, safe="")
            for name in ("from", "to", "route", "country", "cause", "means", "status", "sort", "after"):
                answer = focal.get(f"/api/report/incidents?{name}={quoted}")
                assert answer.status in (400, 422), (name, text, answer)
            assert focal.get("/api/report/incidents/" + quoted).status in (400, 404, 422)
        bad = focal.request("POST", "/api/report/incidents", headers={"Content-Type": "application/json"},
                            upload=json.dumps(dict(made[0][0], text="a\x00b")).encode())
        assert bad.status in (400, 422), bad
        assert focal.get("/api/report/incidents").expect(200).json()["total"] == len(NASTY)


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


@scenario
def exports_hold_what_was_written_and_nothing_that_runs(folder):
    evil = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", "plain, with \"quotes\" and\nlines"]
    with Node(folder) as node:
        focal = node.login("focal.point")
        for i, text in enumerate(evil):
            report = fitting(focal, number=f"E-{i}")
            report["place"]["text"] = text
            focal.post("/api/report/incidents", report).expect(201)
        nowhere = fitting(focal, number="N")
        nowhere["place"] = {"country": "THA"}
        focal.post("/api/report/incidents", nowhere).expect(201)
        focal.get("/api/report/export?format=csv").expect(403, 422, 400)  # no purpose
        purpose = {"X-Fairway-Purpose": "statistics"}
        focal.get("/api/report/export?format=xls", headers=purpose).expect(422)
        table = focal.get("/api/report/export?format=csv", headers=purpose).expect(200)
        assert "attachment" in table.headers["content-disposition"] and ".csv" in table.headers["content-disposition"]
        rows = rows_of(table)
        assert len(rows) == len(evil) + 1, rows
        by_number = {r["number"]: r for r in rows}
        for i, text in enumerate(evil[:-1]):
            assert by_number[f"E-{i}"]["place"] == "'" + text, by_number[f"E-{i}"]["place"]
        assert by_number[f"E-{len(evil) - 1}"]["place"] == evil[-1]
        one = by_number["E-0"]
        assert one["dead"] == "2" and one["missing"] == "unknown" and one["children"] == "withheld" and one["injured"] == "not_collected", one
        assert one["lat"] == "5.1234567" and one["lon"] == "98.5" and one["from"] == "2026-03-05" and one["synthetic"] == "yes", one
        geo = json.loads(focal.get("/api/report/export?format=geojson", headers=purpose).expect(200).body)
        assert geo["type"] == "FeatureCollection" and len(geo["features"]) == len(rows)
        place = {f["properties"]["number"]: f["geometry"] for f in geo["features"]}
        assert place["E-0"] == {"type": "Point", "coordinates": [98.5, 5.1234567]} and place["N"] is None, place
        lines = [json.loads(l) for l in focal.get("/api/report/export?format=jsonl", headers=purpose).expect(200).body.splitlines()]
        first = next(l for l in lines if l["number"] == "E-0")
        within({k: v for k, v in fitting(focal, number="E-0").items() if k != "place"}, first)
        filtered = rows_of(focal.get("/api/report/export?format=csv&country=THA", headers=purpose).expect(200))
        assert [r["number"] for r in filtered] == ["N"], filtered
        nothing = rows_of(focal.get("/api/report/export?format=csv&country=LAO", headers=purpose).expect(200))
        assert nothing == []
        empty = json.loads(focal.get("/api/report/export?format=geojson&country=LAO", headers=purpose).expect(200).body)
        assert empty["features"] == []
        entries = [e for e in node.login("strategic.auditor").get("/api/strategic/ledger?event=incident.export").expect(200).json()["entries"]]
        assert entries and entries[0]["purpose"] == "statistics" and max(e["subjects"] for e in entries) == len(rows), entries
        node.login("reporter").get("/api/report/export?format=csv", headers=purpose).expect(403)


@scenario
def an_export_reads_back_in_on_another_node(folder):
    here, there = pathlib.Path(folder) / "a", pathlib.Path(folder) / "b"
    here.mkdir()
    there.mkdir()
    with Node(here) as node:
        focal = node.login("focal.point")
        report = fitting(focal)
        focal.post("/api/report/incidents", report).expect(201)
        lines = focal.get("/api/report/export?format=jsonl", headers={"X-Fairway-Purpose": "cooperation"}).expect(200).body
    with Node(there) as node:
        focal = node.login("focal.point")
        for added in (1, 0):
            handed = focal.post("/api/report/imports?file=" + urllib.parse.quote("from a.jsonl"), upload=lines).expect(202).json()
            done = until(lambda: (lambda i: i if i["state"] in ("done", "failed") else None)(focal.get("/api/report/imports/" + handed["id"]).json()))
            assert done["state"] == "done" and done["added"] == added and done["same"] == 1 - added and done["refused"] == 0, done
        listed = focal.get("/api/report/incidents").json()["incidents"]
        seen = focal.get("/api/report/incidents/" + listed[0]["id"]).expect(200).json()
        within({k: v for k, v in report.items() if k != "status"}, seen)


@scenario
def a_long_export_survives_corrections_meanwhile(folder):
    with Node(folder) as node:
        focal = node.login("focal.point")
        report = fitting(focal)
        line = json.dumps(report)
        lines = "".join(line.replace('"X-1"', f'"L-{i}"') + "\n" for i in range(3000)).encode()
        handed = focal.post("/api/report/imports?file=many.jsonl", upload=lines).expect(202).json()
        done = until(lambda: (lambda i: i if i["state"] in ("done", "failed") else None)(focal.get("/api/report/imports/" + handed["id"]).json()), 60)
        assert done["added"] == 3000, done
        connection = node.connection(40)
        connection.request("GET", "/api/report/export?format=jsonl", headers={"Cookie": "fairway_session=" + focal.token, "X-Fairway-Purpose": "statistics"})
        reply = connection.getresponse()
        head = reply.read(1000)
        some = focal.get("/api/report/incidents?limit=20").json()["incidents"]
        for i in some:
            focal.put("/api/report/incidents/" + i["id"], fitting(focal, number=i["number"], based_on=1, counts={"dead": 77})).expect(200)
        body = head + reply.read()
        connection.close()
        got = [json.loads(l) for l in body.splitlines()]
        assert len(got) == 3000 and all(g["version"] == 1 and g["counts"]["dead"] == 2 for g in got)


main()
