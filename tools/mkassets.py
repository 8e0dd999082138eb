#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turn the built pages into C: every file of web/dist with its .gz and .br as bytes.

  mkassets.py OUT.c DEPFILE DIST     embed DIST
  mkassets.py OUT.c DEPFILE          a single page that says that the pages are not built

A DIST that is not there gives the single page too, with a word on standard error, so that
the C part builds on a machine without node.  The depfile names what was read, or where the
pages would appear.
"""
import gzip
import hashlib
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.json': 'application/json',
    '.map': 'application/json',
    '.svg': 'image/svg+xml',
    '.png': 'image/png',
    '.ico': 'image/x-icon',
    '.woff2': 'font/woff2',
    '.txt': 'text/plain; charset=utf-8',
    '.map': 'text/plain; charset=utf-8',
    '.webmanifest': 'application/manifest+json',
}

PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fairway</title></head>
<body><h1>Fairway</h1><p>This node was built without its pages. Its interface for programs is at
<a href="/api/openapi.json">/api/openapi.json</a>; the command <code>fairway</code> speaks to it.</p></body></html>
"""


def literal(data):
    """Lines of C string literals that hold these bytes."""
    out = []
    for at in range(0, len(data), 64):
        line = []
        for c in data[at:at + 64]:
            if c in (0x22, 0x5c):
                line.append('\\' + chr(c))
            elif 0x20 <= c < 0x7f and c != 0x3f:  # a question mark may begin a trigraph
                line.append(chr(c))
            else:
                line.append('\\%03o' % c)
        out.append('\t"' + ''.join(line) + '"')
    return '\n'.join(out) if out else '\t""'


def collect(dist):
    """{path: bytes} of what is to be embedded, and the names read."""
    files, read = {}, []
    for folder, dirs, names in os.walk(dist):
        dirs.sort()
        for name in sorted(names):
            full = os.path.join(folder, name)
            if name.startswith('.'):
                continue
            read.append(full)
            with open(full, 'rb') as f:
                files['/' + os.path.relpath(full, dist).replace(os.sep, '/')] = f.read()
    return files, read


def write(out, files):
    parts, rows = [], []
    plain = sorted(p for p in files if not p.endswith(('.gz', '.br')))
    for n, path in enumerate(plain):
        ext = os.path.splitext(path)[1]
        if ext not in TYPES:
            sys.exit('%s: no content type is known for it; add it to TYPES in tools/mkassets.py' % path)
        data = files[path]
        fields = []
        for label, suffix in (('d', ''), ('g', '.gz'), ('b', '.br')):
            body = files.get(path + suffix)
            if suffix and (body is None or len(body) >= len(data) * 0.95):
                fields.append(('NULL', 0))
                continue
            # One byte more than needed: the literal ends with a NUL.
            parts.append('static const uint8_t %s%d[%d] =\n%s;\n' % (label, n, len(body) + 1, literal(body)))
            fields.append(('%s%d' % (label, n), len(body)))
        etag = hashlib.sha256(data).hexdigest()[:32]
        rows.append('\t{ "%s", "%s", "%s", %s, %s, %d, %s, %s, %d, %d },' % (
            path, TYPES[ext], etag, 'true' if path.startswith('/assets/') else 'false', fields[0][0], fields[0][1],
            fields[1][0], fields[2][0], fields[1][1], fields[2][1]))
    text = ('/* SPDX-License-Identifier: AGPL-3.0-or-later */\n/* Made by tools/mkassets.py from the built pages. */\n'
            '#include "http/assets.h"\n\n' + '\n'.join(parts) + '\nconst struct asset assets[] = {\n' +
            '\n'.join(rows) + '\n};\nconst size_t asset_count = sizeof(assets) / sizeof(*assets);\n')
    with open(out, 'w', encoding='ascii') as f:
        f.write(text)


def main(argv):
    out, depfile = argv[1], argv[2]
    dist = argv[3] if len(argv) > 3 else None
    read = [os.path.abspath(__file__)]
    if dist is not None and os.path.exists(os.path.join(dist, 'index.html')):
        files, names = collect(dist)
        read += names
    else:
        if dist is not None:
            print('mkassets: %s is not built (tools/build_web builds it): the node will serve one plain page' % dist,
                  file=sys.stderr)
            above = os.path.dirname(os.path.abspath(dist))
            read.append(above if os.path.isdir(above) else os.path.dirname(above))
        files = {'/index.html': PAGE, '/index.html.gz': gzip.compress(PAGE, 9, mtime=0)}
    write(out, files)
    with open(depfile, 'w', encoding='utf-8') as f:
        f.write('%s: %s\n' % (out, ' '.join(n.replace(' ', '\\ ') for n in read)))


main(sys.argv)
