# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole node with bad weather (weather.py) between its workers and PostgreSQL.

Whoever acts may be told 503; then they look, and do it again if it is not
there.  What was acknowledged is there once; what was refused is not there; no
entry of a ledger is missing or double.
"""
import collections
import os

import server
from server import ROLES, ask, fresh_databases, passwords

server.skip_without()
from node import Answer, Node, main, scenario, until  # noqa: E402

ACCOUNTS, GRANTS = 60, 25


def until_said(what):
    """An answer that is not "busy" or "unknown"."""
    def said():
        answer = what()
        return answer if isinstance(answer, Answer) and answer.status != 503 else None
    return until(said, 30, 0.05)


def look_for(admin, name):
    rows = until_said(lambda: admin.get("/api/accounts")).expect(200).json()["accounts"]
    return [a for a in rows if a["account"] == name]


@scenario
def accounts_and_grants_are_made_once(folder):
    direct = os.environ["FAIRWAY_TEST_PG_DIRECT"]
    # Made in calm weather: init is not run again by itself.
    sky, calm = server.SERVER, "postgresql:///?host=" + direct.split("host=", 1)[1].split("&")[0]
    server.SERVER = calm
    fresh_databases()
    node = Node(folder, init=["--store", calm, "--password-file", str(passwords(folder / "passwords"))], start=False)
    node.init()
    conf = node.dir / "fairway.conf"
    conf.write_text(conf.read_text().replace(calm.split("host=")[1], sky.split("host=", 1)[1].split("&")[0]))
    told = collections.Counter()
    with node:
        try:
            node.start()
        except AssertionError:
            node.start()  # a start through a storm may need a second one, as a service manager would do
        admin = until(lambda: log_in(node, "administrator"), 30, 0.1)
        custodian = until(lambda: log_in(node, "custodian.strategic"), 30, 0.1)
        agency = until_said(lambda: admin.get("/api/agencies")).expect(200).json()["agencies"][0]["id"]
        for i in range(ACCOUNTS):
            body = {"account": f"n.{i}", "display": "New Example", "agency": agency}
            for _ in range(40):
                answer = admin.post("/api/accounts", body)
                told[answer.status, answer.code] += 1
                if answer.status == 503 and not look_for(admin, body["account"]):
                    continue
                if answer.status == 503:
                    assert answer.code == "FW_EUNKNOWNOUTCOME", "busy, and it is there"
                break
            assert answer.status in (201, 503) or (answer.status == 409 and told[503, "FW_EUNKNOWNOUTCOME"]), answer
            assert len(look_for(admin, body["account"])) == 1
        for i in range(GRANTS):
            answer = custodian.post("/api/strategic/grants", {"account": "analyst", "role": "strategic_auditor"})
            told[answer.status, answer.code] += 1
            rows = until_said(lambda: custodian.get("/api/strategic/grants")).expect(200).json()["grants"]
            mine = [g for g in rows if g["account"] == "analyst" and g["role"] == "strategic_auditor"]
            assert len(mine) <= 1 and (answer.status != 200 or mine), (answer, mine)
            if mine:
                gone = custodian.delete("/api/strategic/grants/" + mine[0]["id"])
                told["end", gone.status] += 1
        print("# told: " + ", ".join(f"{n} x {k}" for k, n in sorted(told.items(), key=str)), flush=True)
        # Now the way past the weather: the same node, looked at in calm.
        node.stop()
        conf.write_text(conf.read_text().replace(sky.split("host=", 1)[1].split("&")[0], calm.split("host=")[1]))
        node.start()
        made = ask("SELECT count(*) FROM access_account WHERE login LIKE 'n.%'", database="fairway_house")
        assert made == str(ACCOUNTS), made
        for vault in ROLES:
            name = next(a for a in sorted(node.passwords) if a.startswith(f"custodian.{vault}"))
            session = node.login(name)
            verdict = session.post(f"/api/{vault}/ledger/verify", {}).expect(200).json()
            assert verdict["verified"], (vault, verdict)
            if vault == "house":
                assert entries(session, vault, "account.make") == int(ask("SELECT count(*) FROM access_account", database="fairway_house"))


def log_in(node, name):
    try:
        return node.login(name)
    except AssertionError:
        return None


def entries(session, vault, event):
    """How many entries of this kind its ledger has, page by page."""
    n, after = 0, ""
    while True:
        page = session.get(f"/api/{vault}/ledger?event={event}" + (f"&after={after}" if after else "")).expect(200).json()
        n += len(page["entries"])
        after = page.get("next")
        if not after:
            return n


main()
