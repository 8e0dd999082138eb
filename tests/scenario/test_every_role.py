#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every role against every route, made from src/tbl: a role reaches what its permissions say and nothing else."""
import sys

from node import SOURCE, Node, Session, main, scenario

sys.path.insert(0, str(SOURCE / "tools"))
import tables  # noqa: E402

TABLES = tables.load(SOURCE / "src" / "tbl")
NOBODY = "00000000-0000-7000-8000-000000000000"
# Ends the session that asks, so it is asked by nobody else's loop.
ENDS_SESSION = {"close_session"}


def value(v, name):
    """The least that fits a type: what is asked must be refused for want of permission, not for its form."""
    one = {"string": lambda: "x" * max(1, int(v.min)), "int": lambda: max(int(v.min), 0), "real": lambda: max(v.min, 0.0),
           "bool": lambda: False, "uuid": lambda: NOBODY, "time": lambda: "2026-01-01T00:00:00Z", "date": lambda: "2026-01-01",
           "count": lambda: "unknown", "code": lambda: "other", "enum": lambda: v.choices[0],
           "shape": lambda: body(v.shape)}[v.type]
    return [one() for _ in range(int(v.amin))] if v.array else one()


def body(shape):
    return {f.name: value(f.value, f.name) for f in TABLES.shape[shape].fields if f.required}


def ask(session, row):
    path = row.path
    for name in row.params:
        path = path.replace("{%s}" % name, NOBODY)
    query = "&".join("%s=%s" % (q.name, value(q.value, q.name)) for q in row.queries if q.required)
    headers = {}
    if row.purpose:
        headers["X-Fairway-Purpose"] = [p.code for p in TABLES.purposes if row.vault in p.vaults][0]
    return session.request(row.method, path + ("?" + query if query else ""),
                           body=body(row.shape) if row.body == "json" else None,
                           upload=b"x" if row.body == "upload" else None, headers=headers)


def account_of(role):
    if role.name.endswith("_custodian"):
        return "custodian." + role.vault + (".1" if role.vault == "protection" else "")
    return role.name.replace("_", ".")


@scenario
def nobody_reaches_anything_but_what_is_public(folder):
    with Node(folder) as node:
        for row in TABLES.route_rows:
            answer = ask(node.nobody(), row)
            if row.perm == "public":
                assert answer.status not in (403, 404, 405, 500), (row.operation, answer)
            else:
                assert answer.status == 401, (row.operation, row.vault, answer)


@scenario
def every_role_reaches_what_its_permissions_say(folder):
    with Node(folder) as node:
        asked = refused = 0
        for role in TABLES.roles:
            session = node.login(account_of(role))
            for row in TABLES.route_rows:
                if row.perm == "public" or row.operation in ENDS_SESSION:
                    continue
                may = row.perm in ("session", "self") or (row.vault == role.vault and row.perm in role.perms)
                answer = ask(session, row)
                where = (role.name, row.method, row.path, answer)
                assert answer.status < 500, where
                if may:
                    assert answer.status != 403 or row.perm in ("session", "self"), where
                    assert answer.status != 401, where
                else:
                    assert answer.status == 403 and answer.code == "FW_EDENIED", where
                    refused += 1
                asked += 1
            session.log_out().expect(204)
        assert asked > 500 and refused > 300, (asked, refused)
        print("# %d requests, %d of them refused" % (asked, refused))


@scenario
def a_session_that_still_owes_something_reaches_only_what_it_owes(folder):
    with Node(folder, {"session.factor": "everyone"}) as node:
        session = Session(node)
        state = session.post("/api/session", {"account": "focal.point", "password": node.passwords["focal.point"]})
        assert state.expect(200).json()["state"] == "enrol"
        for row in TABLES.route_rows:
            if row.perm not in ("public", "session"):
                answer = ask(session, row)
                assert answer.status == 401, (row.operation, row.vault, answer)
        session.get("/api/session").expect(200)


@scenario
def an_account_without_a_role_reaches_nothing(folder):
    with Node(folder) as node:
        admin = node.login("administrator")
        agency = admin.get("/api/agencies").expect(200).json()["agencies"][0]["id"]
        made = admin.post("/api/accounts", {"account": "n.new", "display": "New Example", "agency": agency}).expect(201).json()
        node.passwords["n.new"] = made["password"]
        session = node.login("n.new")
        for row in TABLES.route_rows:
            if row.perm not in ("public", "session", "self"):
                answer = ask(session, row)
                assert answer.status == 403, (row.operation, row.vault, answer)


main()
