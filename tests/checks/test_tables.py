#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every rule of tools/tables.py is broken once: the refusal names file and line. And the same tables give the same bytes."""
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TBL = ROOT / "src" / "tbl"
sys.path.insert(0, str(ROOT / "tools"))
import mktables  # noqa: E402
import tables  # noqa: E402


class Refusals(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        for path in TBL.glob("*.tbl"):
            shutil.copy(path, self.folder)
        self.addCleanup(shutil.rmtree, self.folder)

    def refuse(self, name, text, words):
        """${text} added to table ${name} is refused at a line of it, with ${words} in the message."""
        path = self.folder / name
        kept = path.read_text()
        first = kept.count("\n") + 1
        path.write_text(kept + text + "\n")
        try:
            with self.assertRaises(tables.Fault) as caught:
                tables.load(self.folder)
        finally:
            path.write_text(kept)
        message = str(caught.exception)
        self.assertIn(words, message)
        place, line = message.split(":")[:2]
        self.assertEqual(place, name)
        self.assertTrue(line.isdigit() and first <= int(line) <= first + text.count("\n"), message)

    def refuse_change(self, name, old, new, words):
        path = self.folder / name
        kept = path.read_text()
        self.assertEqual(kept.count(old), 1, f"{name} has not exactly one {old!r}")
        path.write_text(kept.replace(old, new))
        with self.assertRaises(tables.Fault) as caught:
            tables.load(self.folder)
        path.write_text(kept)
        self.assertIn(words, str(caught.exception))
        self.assertTrue(str(caught.exception).startswith(name), str(caught.exception))

    def test_words(self):
        self.refuse("purposes.tbl", 'purpose other strategic "not ended', "does not end")
        self.refuse("purposes.tbl", 'purpose other strategic "a"b', "after its end")
        self.refuse("purposes.tbl", 'purpose oth"er strategic "a"', "inside a word")
        self.refuse("purposes.tbl", 'purpose other strategic', "were expected at the end")
        self.refuse("purposes.tbl", 'purpose other strategic "a" "b"', "nothing more")

    def test_access(self):
        self.refuse("access.tbl", 'permission report.read strategic "again"', "is there already, at access.tbl:")
        self.refuse("access.tbl", 'permission report_read strategic "the same in C"', "the name in C")
        self.refuse("access.tbl", 'permission report.other nowhere "x"', "there is no vault nowhere")
        self.refuse("access.tbl", 'permission report.other strategic "x"', "no role gives permission report.other")
        self.refuse("access.tbl", 'role other strategic "x" : report.dance', "there is no permission report.dance")
        self.refuse("access.tbl", 'role other strategic "x" : referral.read', "is of vault protection")
        self.refuse("access.tbl", 'role other strategic "x" :', "has no permission")
        self.refuse("access.tbl", 'role other strategic "x" : self', "that a role could give")
        self.refuse("access.tbl", 'vault fourth "x"', "") if False else None
        self.refuse("access.tbl", "\n".join(f'permission house.p{chr(97 + i // 26)}{chr(97 + i % 26)} house "x"'
                                            for i in range(64)), "more than 64")

    def test_shapes(self):
        self.refuse("shapes.tbl", 'shape Problem "again"\n  a bool "x"', "shape Problem is there already")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a Nothing "x"', "there is no shape Nothing")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a string "x"', "limits MIN..MAX was expected")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a string 5..2 "x"', "the lower is above the upper")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a int 0..9007199254740992 "x"', "2^53")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a colour "x"', "there is no type colour")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a bool "x"\n  a bool "x"', "is there already")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a enum b|b "x"', "there twice")
        self.refuse("shapes.tbl", 'shape Other "x"', "has no field")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a int 0..5 null "x"', "only elements of an array")
        self.refuse("shapes.tbl", 'shape Other "x"\n  a More "x"\nshape More "x"\n  b Other[] 0..2 "x"', "contains itself")

    def route(self, head, body='  out 200 Problem\n  "x"', words=""):
        self.refuse("routes.tbl", f"route {head}\n{body}", words)

    def test_routes(self):
        good = '  out 204 "x"\n  "x"'
        self.route("GET /api/other list_incidents strategic report.read", words="operation list_incidents is there already")
        self.route("GET /api/report/incidents list_others strategic report.read", words="could also be")
        self.route("GET /api/report/incidents/{id} see_other strategic report.read", words="could also be")
        self.route("GET /api/other see_other strategic report.dance", words="there is no permission report.dance")
        self.route("GET /api/other see_other strategic referral.read", words="of vault protection, the route of strategic")
        self.route("GET /api/other see_other fourth report.read", words="there is no vault fourth")
        self.route("GET /api/other see_other strategic public", words="only the house")
        self.route("GET /api/{vault}/other see_other strategic report.read", words="{vault}")
        self.route("GET /api/other see_other each *.ledger", words="{vault}")
        self.route("GET /api/{vault}/other see_other each *.dance", words="there is no permission strategic.dance")
        self.route("GET /api/other see_other strategic *.ledger", words="is for routes in each vault")
        self.route("GET /other see_other strategic report.read", words="/api/")
        self.route("GET /api/other see_other strategic report.read", good + "\n  in Login", "a GET has no body")
        self.route("GET /api/other delete_other strategic report.read", good, "asks for no CSRF token")
        self.route("HEAD /api/other see_other strategic report.read", words="method HEAD")
        self.route("PUT /api/other set_other strategic report.write", words="a PUT has a body")
        self.route("POST /api/other set_other strategic report.write", good + "\n  in Nothing", "there is no shape Nothing")
        self.route("GET /api/other see_other strategic report.read", '  out 200 Nothing "x"\n  "x"', "no shape Nothing")
        self.route("GET /api/other see_other strategic report.read", '  out 404 Problem\n  "x"', "one answer between 200")
        self.route("GET /api/other see_other strategic report.read", '  out 200 bytes "x"\n  "x"', "flag stream")
        self.route("GET /api/other see_other strategic report.read", '  out 200 Login\n  out 404 Login\n  "x"', "as a Problem")
        self.route("GET /api/other see_other strategic report.read", '  out 200 Login', "has no words")
        self.route("GET /api/{a}/{b}/{c}/{d}/{e} see_other strategic report.read", words="at most 4")
        self.route("GET /api/other see_other house accounts.read purpose", words="no purpose")

    def test_input_without_free_objects(self):
        self.refuse("shapes.tbl", 'shape Other "x"\n  a Nothing "x"', "Nothing")
        path = self.folder / "shapes.tbl"
        path.write_text(path.read_text() + '\nshape Free "x"\n  a object "x"\n')
        self.route("POST /api/other set_other strategic report.write", '  in Free\n  out 204 "x"\n  "x"', "nothing checks")

    def test_messages(self):
        self.refuse("messages.tbl", 'message LOST front front 0 0 "x"', "a message without receiver")
        self.refuse("messages.tbl", 'message LOST front postman 0 0 "x"', "there is no process postman")
        self.refuse("messages.tbl", 'message LOST front house 5 4 "x"', "MIN <= MAX")
        self.refuse("messages.tbl", 'message LOST front house 0 99999999 "x"', "MIN <= MAX")
        self.refuse("messages.tbl", 'message LOST front house 0 0 fd "x"', "only the supervisor")
        self.refuse("messages.tbl", 'message CALL front house 0 0 "x"', "message CALL is there already")
        self.refuse("messages.tbl", 'message PEEK front house 0 0 "x"', "another meaning in C")

    def test_events_and_purposes(self):
        self.refuse("ledger_events.tbl", 'event 1 other.event "x"', "event 1 is there already")
        self.refuse("ledger_events.tbl", 'event 65000 node.start "x"', "event node.start is there already")
        self.refuse("ledger_events.tbl", 'event 70000 other.event "x"', "1 to 65535")
        self.refuse("purposes.tbl", 'purpose other fourth "x"', "there is no vault fourth")
        self.refuse("purposes.tbl", 'purpose oversight strategic "x"', "is there already")

    def test_metrics_exits_settings(self):
        self.refuse("metrics.tbl", 'counter fairway_other "x"', "_total")
        self.refuse("metrics.tbl", 'histogram fairway_other bounds 2|1 "x"', "rising")
        self.refuse("metrics.tbl", 'gauge fairway_other by le "x"', "not le")
        self.refuse("exits.tbl", 'exit 0 other "x"', "is there already")
        self.refuse("settings.tbl", 'section other "x"\n  a int 1..5 = 6 "x"', "does not fit")
        self.refuse("settings.tbl", 'section other "x"\n  a enum b|c = d "x"', "does not fit")
        self.refuse("settings.tbl", 'section http "x"', "is there already")
        self.refuse("settings.tbl", 'section other "x"\n  a bool "x"', "was expected")

    def test_commands(self):
        self.refuse("commands.tbl", 'command doctor offline "x"', "is there already")
        self.refuse("commands.tbl", 'command other "x"\n  option json "x"', "option json is there already")
        self.refuse("commands.tbl", 'command other "x"\n  option one -q "x"', "letter q is there already")
        self.refuse("commands.tbl", 'command other abstract "x"', "if, and only if")
        self.refuse("commands.tbl", 'command other "x"\n  argument A optional "x"\n  argument B "x"', "only the last")

    def test_vaults(self):
        self.refuse_change("access.tbl", 'vault house ', 'vault home ', "in this order")

    def test_same_bytes(self):
        a, b = tables.load(TBL), tables.load(TBL)
        self.assertEqual(mktables.header(a), mktables.header(b))
        self.assertEqual(mktables.Source(a).text(), mktables.Source(b).text())

    def test_strings_in_c(self):
        self.assertEqual(mktables.c_string('a"b\\c\n'), '"a\\"b\\\\c\\n"')
        self.assertEqual(mktables.c_string("é1"), '"\\xc3\\xa9""1"')


if __name__ == "__main__":
    unittest.main(verbosity=0)
