# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the scenarios of imports share: files to hand in, waiting for their end, and sums made without the node."""
import csv
import gzip
import io
import os
import pathlib
import urllib.parse

from node import SOURCE, Skip, until

OVER = ("done", "failed", "cancelled")
HEADER = ["Main ID", "Incident ID", "Region", "Incident Date", "Year", "Reported Month", "Number Dead",
          "Minimum Estimated Number of Missing", "Number of Survivors", "Number of Females", "Number of Males", "Number of Children",
          "Region of Origin", "Cause of Death", "Country of Origin", "Location of death", "Information Source", "Coordinates",
          "Migration route", "URL", "UNSD Geographical Grouping", "Source Quality"]
# Names of the columns of counts in the two layouts that were published, by measure.
MEASURES = {
    "dead": ("Number of Dead", "Number Dead"), "missing": ("Minimum Estimated Number of Missing",) * 2,
    "survivors": ("Number of Survivors",) * 2, "female": ("Number of Females",) * 2, "male": ("Number of Males",) * 2,
    "children": ("Number of Children",) * 2,
}


def shared(name):
    """A file of the shared real data, or this scenario is skipped."""
    root = pathlib.Path(os.environ.get("FAIRWAY_SHARED", SOURCE.parent / "shared"))
    path = root / "data" / "missing-migrants" / name
    if not path.exists():
        raise Skip(f"the shared data file missing-migrants/{name} is not here (FAIRWAY_SHARED)")
    return path


def unpacked(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def rows_of(data):
    """The rows of a table as dictionaries, by Python's own reader."""
    return list(csv.DictReader(io.StringIO(unpacked(data).decode("utf-8-sig"), newline="")))


def number(text):
    return int(float(text.strip()))


def expected_totals(rows):
    """Per measure (sum, counted, unknown) of rows that all collect it."""
    totals = {}
    for measure, names in MEASURES.items():
        cells = [r[next(n for n in names if n in r)].strip() for r in rows]
        numbers = [number(c) for c in cells if c]
        totals[measure] = (sum(numbers), len(numbers), len(cells) - len(numbers))
    return totals


def row(number, **cells):
    """A row of the newer layout. Nothing of it happened."""
    values = {"Main ID": f"X026.T{number:05d}", "Incident ID": f"X026.T{number:05d}", "Region": "Mediterranean",
              "Incident Date": "Thu, 01/15/2026 - 12:00", "Year": "2026", "Reported Month": "January", "Number Dead": "2",
              "Minimum Estimated Number of Missing": "3", "Cause of Death": "Drowning", "Location of death": "Invented bay",
              "Coordinates": "35.5, 14.5", "Migration route": "Central Mediterranean", "Information Source": "Invented Times"}
    values.update({k.replace("_", " "): v for k, v in cells.items()})
    unknown = set(values) - set(HEADER)
    assert not unknown, unknown
    return [values.get(name, "") for name in HEADER]


def table(rows, header=HEADER, end="\n", separator=","):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, delimiter=separator)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def hand_in(session, data, name="invented.csv", layout=None, status=202):
    path = "/api/report/imports?file=" + urllib.parse.quote(name) + (f"&layout={layout}" if layout else "")
    return session.post(path, upload=data, timeout=120).expect(status)


def see(session, id):
    return session.get("/api/report/imports/" + id).expect(200).json()


def over(session, id, seconds=60):
    """The import once it is over."""
    def ended():
        """the end of the import"""
        v = see(session, id)
        return v if v["state"] in OVER else None
    return until(ended, seconds, 0.05)


def imported(session, data, name="invented.csv", layout=None, seconds=60):
    return over(session, hand_in(session, data, name, layout).json()["id"], seconds)


def counts(v):
    return tuple(v[k] for k in ("rows", "added", "changed", "same", "refused"))


def refused_rows(session, id):
    answer = session.get(f"/api/report/imports/{id}/refused").expect(200)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8", answer.headers
    return list(csv.reader(io.StringIO(answer.body.decode(), newline=""))), answer.body


def summary(session, query=""):
    v = session.get("/api/report/summary" + query).expect(200).json()
    return v, {t["measure"]: t for t in v["totals"]}


def every_incident(session, query=""):
    """All pages of the list."""
    found, after = [], None
    while True:
        more = query + (f"&after={urllib.parse.quote(after)}" if after else "")
        page = session.get("/api/report/incidents?limit=200" + more).expect(200).json()
        found += page["incidents"]
        after = page.get("next")
        if not after:
            assert len(found) == page["total"], (len(found), page["total"])
            return found


def officer_of_another_agency(node, account="n.other", role="reporter"):
    """An account in an agency of its own, with a role in the strategic vault."""
    admin = node.login("administrator")
    agency = admin.post("/api/agencies", {"code": "OTHER", "name": "Other Example Agency"}).expect(201).json()["id"]
    made = admin.post("/api/accounts", {"account": account, "display": "Nadia Example", "agency": agency}).expect(201).json()
    node.passwords[account] = made["password"]
    node.login(account)  # sets a password of its own, without which no role is given
    node.login("custodian.strategic").post("/api/strategic/grants", {"account": account, "role": role}).expect(200, 201)
    return node.login(account)
