#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""What tools/mkopenapi.py, mkts.py, mkman.py and mkdocs.py make of the tables."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import docs_record  # noqa: E402
import mkdocs  # noqa: E402
import mkman  # noqa: E402
import mkopenapi  # noqa: E402
import mkts  # noqa: E402
import tables  # noqa: E402

T = tables.load(ROOT / "src" / "tbl")


class OpenApi(unittest.TestCase):
    doc = mkopenapi.document(T, "1.2.3")

    def operation(self, method, path):
        return self.doc["paths"][path][method.lower()]

    def test_every_reference_leads_somewhere(self):
        for ref in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(self.doc))):
            at = self.doc
            for part in ref.removeprefix("#/").split("/"):
                self.assertIn(part, at, ref)
                at = at[part]

    def test_every_route_is_there_once(self):
        ids = [op["operationId"] for path in self.doc["paths"].values() for op in path.values()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(len(ids), len(T.route_rows))

    def test_answers_of_every_route(self):
        for r in T.route_rows:
            got = {int(s) for s in self.operation(r.method, r.path)["responses"]}
            want = {a.status for a in r.answers} | {400, 429, 500, 503}
            want |= {401, 403} if r.perm != "public" else set()
            want |= {413, 415, 422} if r.method != "GET" else set()
            self.assertLessEqual(want, got, r.path)

    def test_parameters_of_the_path(self):
        for path, methods in self.doc["paths"].items():
            for op in methods.values():
                named = {p["name"] for p in op.get("parameters", []) if p.get("in") == "path"}
                self.assertEqual(named, set(re.findall(r"\{(\w+)\}", path)), path)

    def test_writes_of_a_session_name_the_csrf_token(self):
        csrf = {"$ref": "#/components/parameters/Csrf"}
        for r in T.route_rows:
            has = csrf in self.operation(r.method, r.path).get("parameters", [])
            self.assertEqual(has, r.method != "GET" and r.perm != "public", r.path)

    def test_public_routes_and_no_others_go_without_a_session(self):
        for r in T.route_rows:
            self.assertEqual(self.operation(r.method, r.path)["security"] == [], r.perm == "public", r.path)

    def test_types(self):
        schemas = self.doc["components"]["schemas"]
        self.assertEqual(schemas["IncidentRow"]["properties"]["dead"]["$ref"], "#/components/schemas/Count")
        self.assertEqual(schemas["Overview"]["properties"]["day"]["items"]["type"], ["integer", "null"])
        self.assertEqual(schemas["Overview"]["properties"]["dead"]["items"]["type"], "integer")
        self.assertEqual(schemas["NewReferral"]["properties"]["note"]["type"], ["string", "null"])  # goes in
        self.assertEqual(schemas["Referral"]["properties"]["note"]["type"], "string")               # comes out only
        self.assertEqual(schemas["Login"]["required"], ["account", "password"])
        for s in T.shapes:
            self.assertIs(schemas[s.name]["additionalProperties"], False)

    def test_purposes_of_the_vault(self):
        op = self.operation("GET", "/api/report/export")
        purpose = next(p for p in op["parameters"] if p.get("name") == "X-Fairway-Purpose")
        self.assertIn("statistics", purpose["schema"]["enum"])
        self.assertNotIn("prosecution", purpose["schema"]["enum"])

    def test_the_bytes_in_c_are_the_document(self):
        text = json.dumps({"a": 'quote " and \\ and é'}, ensure_ascii=True)
        literals = re.findall(r'^\t"(.*)";?$', mkopenapi.as_c(text), re.M)
        self.assertEqual("".join(literals).encode().decode("unicode_escape"), text)


class TypeScript(unittest.TestCase):
    text = mkts.module(T)

    def test_a_type_for_every_shape_and_operation(self):
        for s in T.shapes:
            self.assertIn(f"export interface {s.name} {{", self.text)
        for r in T.routes:
            self.assertEqual(len(re.findall(rf"^  {r.operation}: {{", self.text, re.M)), 2, r.operation)

    def test_fields(self):
        self.assertIn("  day: (number | null)[];", self.text)
        self.assertIn("  dead: Count;", self.text)
        self.assertIn("  detail?: string;", self.text)
        self.assertIn("'FW_ENOTFOUND'", self.text)

    def test_compiles(self):
        tsc = ROOT / "web" / "node_modules" / ".bin" / "tsc"
        if not tsc.exists():
            self.skipTest("the pages' packages are not installed")
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "api.ts").write_text(self.text)
            run = subprocess.run([tsc, "--strict", "--noEmit", "--target", "es2020", f"{folder}/api.ts"],
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stdout)


class Manuals(unittest.TestCase):
    made = mkman.pages(T, "1.2.3")

    def test_a_page_for_every_command_and_verb_that_is_shown(self):
        want = {mkman.page_name(c) + ".1" for c in T.commands if not c.hidden} | {"fairway.1", "fairway.conf.5"}
        self.assertEqual(set(self.made), want)

    def test_every_option_and_setting_is_explained(self):
        for c in T.commands:
            for o in c.options if not c.hidden else []:
                self.assertIn(f"Fl \\-{o.name}", self.made[mkman.page_name(c) + ".1"])
        for s in T.settings:
            self.assertRegex(self.made["fairway.conf.5"], rf"\.It Cm (\\&)?{s.key}\n")

    def test_mandoc_finds_nothing(self):
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is not installed")
        with tempfile.TemporaryDirectory() as folder:
            for name, text in self.made.items():
                (pathlib.Path(folder) / name).write_text(text)
            run = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *sorted(map(str, pathlib.Path(folder).iterdir()))],
                                 capture_output=True, text=True)
            # The pages that these name are not installed where the tests run.
            found = [line for line in (run.stdout + run.stderr).splitlines() if "referenced manual not found" not in line]
            self.assertEqual(found, [])


class Documents(unittest.TestCase):
    def test_a_stale_document_is_found(self):
        made = mkdocs.documents(T)
        self.assertEqual(set(made), {"docs/access.md", "docs/settings.md", "docs/metrics.md", "docs/incident-record.md",
                                     "docs/codebooks.md", "docs/processes.md"})
        for m in T.messages:
            self.assertIn(f"| `{m.name}` |", made["docs/processes.md"])
        for r in T.routes:
            self.assertIn(f"| `{r.operation}` |", made["docs/access.md"])
        for s in T.settings:
            self.assertIn(f"| `{s.key}` |", made["docs/settings.md"])
        for m in T.metrics:
            self.assertIn(f"| `{m.name}` |", made["docs/metrics.md"])
        for f in docs_record.Record(ROOT, T).fields():
            self.assertIn(f"| `{f.path}` |", made["docs/incident-record.md"])


class Record(unittest.TestCase):
    def setUp(self):
        self.record = docs_record.Record(ROOT, T)

    def field(self, path):
        return next(f for f in self.record.fields() if f.path == path)

    def test_what_a_field_may_hold(self):
        self.assertIn("`\"withheld\"`", self.record.states(self.field("counts.dead")))
        self.assertTrue(self.record.states(self.field("place.country")).startswith("`ZZZ`"))
        self.assertEqual(self.record.states(self.field("harm.causes")), "absent: not collected")

    def test_what_does_not_fit_together_is_refused(self):
        for path, change, words in (("text", {"max": 1}, "bytes"), ("type", {"arg": "CB_SEX"}, "another codebook"),
                                    ("outcome", {"arg": "CHOICES_TLP"}, "choices"), ("number", {"path": "numbre"}, "no field"),
                                    ("counts.dead", {"column": "DAED"}, "no column"),
                                    ("handling.retain_until", {"kind": "INT"}, "without unit")):
            f = self.field(path)
            f.__dict__.update(change)
            with self.assertRaisesRegex(tables.Fault, words):
                self.record.join(f)


if __name__ == "__main__":
    unittest.main(verbosity=0)
