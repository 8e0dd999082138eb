#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the OpenAPI 3.1 document of the node from src/tbl.

    mkopenapi.py TBL-FOLDER VERSION OUT.json [OUT.c]

OUT.json is compact; OUT.c holds the same bytes for the front to serve at
/api/openapi.json (tbl/openapi.h).  Every answer a route can give is there,
those that every route gives too (see the head of routes.tbl).
"""
import json
import sys

import mktables
import tables

CODE_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_.:-]*$"  # tbl/shape.h, code_wellformed()
DATE_PATTERN = "^([0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?)?$"

# Answers beyond a route's own rows, with the words of docs.
COMMON = {
    400: "The request is malformed: an unknown query parameter, a body that is not JSON",
    401: "Not logged in, or the session ended",
    403: "Not permitted to this account, or the token against cross-site requests is missing",
    404: "There is no such thing, or it is not for this account to know of",
    409: "It conflicts with another change",
    413: "The body is too long",
    415: "The body is of another type than this route takes",
    422: "A parameter or the body is not acceptable; place names the parameter or field",
    429: "Too many requests or failed log-ins; Retry-After says how long to wait",
    500: "Something broke; the operator's log has it. Nothing was changed",
    503: "The vault is starting, busy or stopping; Retry-After says how long to wait",
}


def whole(v):
    return int(v) if v == int(v) else v


def value_schema(v):
    kind = v.type
    if kind == "string":
        return {"type": "string", **({"minLength": v.min} if v.min else {}), "maxLength": v.max}
    if kind in ("int", "real"):
        return {"type": "integer" if kind == "int" else "number", "minimum": whole(v.min), "maximum": whole(v.max)}
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "uuid":
        return {"type": "string", "format": "uuid"}
    if kind == "time":
        return {"type": "string", "format": "date-time"}
    if kind == "date":
        return {"type": "string", "pattern": DATE_PATTERN, "description": "As precise as known; empty if unknown"}
    if kind == "count":
        return {"$ref": "#/components/schemas/Count"}
    if kind == "code":
        return {"type": "string", "pattern": CODE_PATTERN, "maxLength": tables.CODE_MAX,
                "description": f"Code of codebook {v.codebook}"}
    if kind == "enum":
        return {"type": "string", "enum": v.choices}
    if kind == "shape":
        return {"$ref": f"#/components/schemas/{v.shape}"}
    return {"type": "object"}


def or_null(schema):
    if "enum" in schema:
        return {**schema, "type": ["string", "null"], "enum": schema["enum"] + [None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def field_schema(f, nullable):
    schema = value_schema(f.value)
    if f.value.array:
        items = or_null(schema) if f.value.null else schema
        schema = {"type": "array", "items": items, "minItems": f.value.amin, "maxItems": f.value.amax}
    if nullable and not f.required:
        schema = or_null(schema)
    words = [f.words] + ([schema["description"]] if "description" in schema else [])
    schema = {**schema, "description": ". ".join(words)}
    if f.value.type == "string":
        schema["description"] += f". At most {f.value.max} bytes of UTF-8"
    if f.secret:
        schema["format"] = "password"
    return schema


def shape_schema(s, nullable):
    required = [f.name for f in s.fields if f.required]
    return {"type": "object", "description": s.words,
            "properties": {f.name: field_schema(f, nullable) for f in s.fields},
            **({"required": required} if required else {}), "additionalProperties": False}


def problem(words):
    return {"description": words,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def answers(r):
    with_session = r.perm != "public"
    common = {400, 429, 500, 503}
    if with_session:
        common |= {401, 403}
    if r.method != "GET":
        common |= {413, 415, 422}
    if r.queries or r.params or r.purpose:
        common |= {422}
    if r.params:
        common |= {404}
    out = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in common}
    for a in r.answers:
        if a.status >= 400:
            out[a.status] = {"$ref": f"#/components/responses/Problem{a.status}"}
        elif a.shape:
            out[a.status] = {"description": a.words,
                             "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{a.shape}"}}}}
        elif a.bytes:
            out[a.status] = {"description": a.words, "content": {"*/*": {}}}
        else:
            out[a.status] = {"description": a.words}
    return {str(status): out[status] for status in sorted(out)}


def parameters(r, t):
    out = []
    for p in r.params:
        schema = {"type": "string", "format": "uuid"} if p == "id" else \
            {"type": "string", "pattern": CODE_PATTERN, "maxLength": tables.CODE_MAX}
        out.append({"name": p, "in": "path", "required": True, "schema": schema})
    for q in r.queries:
        out.append({"name": q.name, "in": "query", **({"required": True} if q.required else {}), "description": q.words,
                    "schema": value_schema(q.value)})
    if r.purpose:
        codes = [p.code for p in t.purposes if r.vault in p.vaults]
        by_query = any(q.name == "purpose" for q in r.queries)
        out.append({"name": "X-Fairway-Purpose", "in": "header", **({} if by_query else {"required": True}),
                    "description": "What it is for; goes into the ledger"
                    + (". May also be given as query parameter purpose" if by_query else ""),
                    "schema": {"type": "string", "enum": codes}})
    if r.method != "GET" and r.perm != "public":
        out.append({"$ref": "#/components/parameters/Csrf"})
    return out


def operation(r, t, several):
    out = {"operationId": f"{r.operation}_{r.vault}" if several else r.operation, "summary": r.words,
           "tags": [r.vault]}
    given = parameters(r, t)
    if given:
        out["parameters"] = given
    if r.body == "json":
        out["requestBody"] = {"required": True, "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{r.shape}"}}}}
    elif r.body == "upload":
        out["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    out["responses"] = answers(r)
    out["security"] = [] if r.perm == "public" else [{"cookie": []}, {"bearer": []}]
    if r.perm not in ("public", "session", "self"):
        out["x-permission"] = r.perm
    return out


def document(t, version):
    paths = {}
    several = {r.operation for r in t.routes if r.vault == "each"}
    for r in t.route_rows:
        paths.setdefault(r.path, {})[r.method.lower()] = operation(r, t, r.operation in several)
    nullable = tables.going_in(t)
    count = {"description": "A number, or why there is none", "oneOf": [
        {"type": "integer", "minimum": 0, "maximum": tables.COUNT_MAX},
        {"type": "string", "enum": ["unknown", "not_collected", "withheld"]}]}
    for r in t.routes:
        for a in r.answers:
            if a.status >= 400 and a.status not in COMMON:
                tables.fault(a.at, f"tools/mkopenapi.py has no words for status {a.status}")
    statuses = sorted(set(COMMON) | {a.status for r in t.routes for a in r.answers if a.status >= 400})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fairway", "version": version, "license": {"name": "AGPL-3.0-or-later",
                                                                     "identifier": "AGPL-3.0-or-later"},
                 "description": "The interface of one node. An answer leaves out what it has nothing to say about. "
                                "Errors are told as RFC 9457 problems."},
        "servers": [{"url": "/"}],
        "tags": [{"name": v.name, "description": v.words} for v in t.vaults],
        "paths": paths,
        "components": {
            "schemas": {"Count": count, **{s.name: shape_schema(s, s.name in nullable) for s in t.shapes}},
            "responses": {f"Problem{s}": problem(COMMON[s]) for s in statuses},
            "parameters": {"Csrf": {
                "name": "X-Fairway-CSRF", "in": "header", "schema": {"type": "string", "maxLength": 64},
                "description": "The session's csrf; needed with the cookie, not with a bearer token"}},
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "fairway_session"},
                "bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def as_c(text):
    out = [mktables.NOTE.replace("mktables", "mkopenapi"), '#include "tbl/openapi.h"\n', "const char openapi_json[] ="]
    out += ["\t" + mktables.c_string(text[i:i + 100]) for i in range(0, len(text), 100)]
    return "\n".join(out) + ";\n\nconst size_t openapi_json_len = sizeof(openapi_json) - 1;\n"


def main(argv):
    if len(argv) not in (3, 4):
        print("mkopenapi.py TBL-FOLDER VERSION OUT.json [OUT.c]", file=sys.stderr)
        return 2
    try:
        text = json.dumps(document(tables.load(argv[0]), argv[1]), separators=(",", ":"), ensure_ascii=True)
    except tables.Fault as e:
        print(e, file=sys.stderr)
        return 1
    with open(argv[2], "w", encoding="utf-8") as f:
        f.write(text)
    if len(argv) == 4:
        with open(argv[3], "w", encoding="utf-8") as f:
            f.write(as_c(text))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
