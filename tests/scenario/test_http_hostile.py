#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTTP as an attacker speaks it, to a node alone and through packaging/nginx/fairway.conf."""
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

from node import DEMO, SOURCE, Node, Skip, main, scenario, until

GET = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /api/session HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

# The eleven malformed requests of the comparison of servers, then others: name, bytes, what
# the node alone must answer, what is right through nginx. 0: closed without an answer.
# Through nginx a request may also be made good before it is passed on: {200, 400} and so on.
HOSTILE = [
    ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n", {400}, {400}),
    ("Content-Length and Transfer-Encoding", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     {400}, {400}),
    ("two Content-Length", POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", {400}, {400}),
    ("bare LF", b"GET /healthz HTTP/1.1\nHost: h\n\n", {400}, {200, 400}),
    ("blank before colon", b"GET /healthz HTTP/1.1\r\nHost : h\r\n\r\n", {400}, {400}),
    ("folded header", GET + b"X-A: a\r\n b\r\n\r\n", {400}, {400}),
    ("unknown Transfer-Encoding", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400}, {400, 501, 503}),
    ("NUL in a value", GET + b"X-A: a\0b\r\n\r\n", {400}, {400}),
    ("signed Content-Length", POST + b"Content-Length: +4\r\n\r\n{}\r\n", {400}, {400}),
    ("40 kB header", GET + b"X-A: " + b"a" * 40000 + b"\r\n\r\n", {431}, {400, 494}),
    ("two Host", b"GET /healthz HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", {400}, {400}),
    # others
    ("forged header behind NULs", GET + b"X-A: a\0\0Host\0 x\r\n\r\n", {400}, {400}),
    ("header without colon", GET + b"nonsense\r\n\r\n", {400}, {200, 400}),
    ("header without name", GET + b": a\r\n\r\n", {400}, {400}),
    ("blank in the target", b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("HTTP/2.0 in the line", b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", {505}, {400, 505}),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {0, 400}, {0, 400}),
    ("bad chunk", POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}, {400, 503}),
    ("huge chunk", POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", {413}, {400, 413, 503}),
    ("huge Content-Length", POST + b"Content-Length: 99999999999999999999\r\n\r\n", {400, 413}, {400, 413}),
    ("way up", b"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("coded way up", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("twice coded way up", b"GET /assets/%252e%252e/x.js HTTP/1.1\r\nHost: h\r\n\r\n", {404}, {404}),
    ("coded slash", b"GET /api%2fsession HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("coded NUL", b"GET /healthz%00 HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("overlong UTF-8", b"GET /%c0%ae%c0%ae/ HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400}),
    ("long target", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", {414}, {414}),
    ("many headers", GET + b"".join(b"A%d: b\r\n" % i for i in range(150)) + b"\r\n", {431}, {431}),
    ("address of a proxy", b"GET http://other/healthz HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {200, 400}),
    ("CONNECT", b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", {400}, {400, 405}),
    ("TRACE", b"TRACE /healthz HTTP/1.1\r\nHost: h\r\n\r\n", {405}, {405}),
    ("made-up method", b"BREW /healthz HTTP/1.1\r\nHost: h\r\n\r\n", {405}, {405}),
]


def read_all(sock, seconds=8):
    """Everything until the other side closes or is silent."""
    sock.settimeout(seconds)
    out = b""
    try:
        while True:
            got = sock.recv(65536)
            if not got:
                break
            out += got
            head, _, body = out.partition(b"\r\n\r\n")
            m = re.search(rb"content-length: (\d+)", head, re.I)
            if m and len(body) >= int(m.group(1)):
                sock.settimeout(0.15)  # a second answer would come at once
    except (socket.timeout, ConnectionError, ssl.SSLError):
        pass
    return out


def statuses(bytes_):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", bytes_)]


def speak(dial, request):
    """One connection: the statuses that came back, and all bytes."""
    with dial() as sock:
        try:
            sock.sendall(request)
        except (ConnectionError, ssl.SSLError):
            pass
        answer = read_all(sock)
    return [s for s in statuses(answer) if s != 100], answer


def dial_node(node):
    host, port = node.address.removeprefix("http://").rsplit(":", 1)
    return lambda: socket.create_connection((host, int(port)), timeout=10)


def check_hostile(dial, column):
    for row in HOSTILE:
        name, request, allowed = row[0], row[1], row[column]
        # A second request behind it: whatever is refused must take it along.
        got, raw = speak(dial, request + GET + b"\r\n")
        first = got[0] if got else 0
        assert first in allowed, f"{name}: {first} instead of {sorted(allowed)}: {raw[:300]!r}"
        # What was refused because nobody knows where it ends takes the rest along; nginx, which knows where other
        # requests end, may go on after the node's refusal.
        unclear = column == 2 or any(word in name for word in ("Content-Length", "Transfer-Encoding", "chunk"))
        if unclear and first not in (200, 404, 405):
            assert 200 not in got, f"{name}: the next request was answered: {raw[:600]!r}"


@scenario
def malformed_requests_are_refused_by_the_node_alone(folder):
    with Node(folder) as node:
        dial = dial_node(node)
        check_hostile(dial, 2)
        # It lives, and counted them.
        node.login("reporter").get("/api/session").expect(200)
        figures = node.nobody().get("/metrics").expect(200).body.decode()
        linted = float(re.search(r"(?m)^fairway_http_linted_total (\S+)", figures).group(1))
        assert linted >= 20, linted
        assert not node.log_lines("process.death"), node.log_tail()


# ---- through nginx ----

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """nginx with packaging/nginx/fairway.conf, its paths and ports exchanged for those of a test."""

    def __init__(self, folder, upstream, client_ca=None):
        self.program = shutil.which("nginx") or ("/usr/sbin/nginx" if os.access("/usr/sbin/nginx", os.X_OK) else None)
        if self.program is None or shutil.which("openssl") is None:
            raise Skip("nginx and openssl are not both here")
        self.folder = folder / "nginx"
        self.folder.mkdir()
        self.port, self.plain = free_port(), free_port()
        self.certificate("node")
        text = (SOURCE / "packaging/nginx/fairway.conf").read_text()
        for old, new in [("unix:/run/fairway/http.sock", f"unix:{upstream}"), ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
                         ("listen [::]:80;", ""), ("listen [::]:443 ssl http2;", ""),
                         ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port} ssl http2;"),
                         ("server_name fairway.example;", "server_name h localhost;"),
                         ("/etc/fairway/tls/node.pem", f"{self.folder}/node.pem"),
                         ("/etc/fairway/tls/node.key", f"{self.folder}/node.key"),
                         ("/var/log/nginx/fairway.log", f"{self.folder}/access.log")]:
            assert old in text, f"packaging/nginx/fairway.conf has no line with {old}"
            text = text.replace(old, new)
        if client_ca:
            text = text.replace("#ssl_client_certificate /etc/fairway/tls/clients-ca.pem;", f"ssl_client_certificate {client_ca};")
            text = text.replace("#ssl_verify_client on;", "ssl_verify_client on;")
        (self.folder / "fairway.conf").write_text(text)
        temp = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/pid;\nerror_log {self.folder}/error.log;\n"
            f"events {{ worker_connections 512; }}\nhttp {{\n{temp}access_log off;\ninclude {self.folder}/fairway.conf;\n}}\n")
        command = [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e",
                   str(self.folder / "error.log")]
        test = subprocess.run(command + ["-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert test.returncode == 0, test.stdout
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{self.folder}/{name}.key", "-out", f"{self.folder}/{name}.pem", "-days", "2", "-subj",
                        f"/CN={name}", "-addext", "subjectAltName=DNS:h,DNS:localhost,IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def context(self, client=None):
        c = ssl.create_default_context(cafile=f"{self.folder}/node.pem")
        if client:
            c.load_cert_chain(f"{client}.pem", f"{client}.key")
        return c

    def dial(self, client=None):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self.context(client).wrap_socket(raw, server_hostname="localhost")

    def __enter__(self):
        def up():
            """nginx answers"""
            try:
                self.dial().close()
                return True
            except ssl.SSLError:
                return True
            except OSError:
                return False
        until(up, 10)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def through_nginx(folder, **settings):
    sock = folder / "http.sock"
    return Node(folder, options=["--listen", f"unix:{sock}"], settings={"http.tls": "yes", **settings}), sock


@scenario
def malformed_requests_are_refused_through_nginx(folder):
    node, sock = through_nginx(folder)
    with node, Nginx(folder, sock) as nginx:
        check_hostile(nginx.dial, 3)
        got, raw = speak(nginx.dial, GET + b"Connection: close\r\n\r\n")
        assert got == [200] and b"Strict-Transport-Security: max-age=" in raw, raw
        # An old protocol is not spoken.
        old = nginx.context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            old.wrap_socket(socket.create_connection(("127.0.0.1", nginx.port)), server_hostname="localhost")
            raise AssertionError("TLS 1.2 was accepted")
        except (ssl.SSLError, ConnectionError):
            pass
        # /metrics stays inside; what nginx refuses has the shape of all errors.
        got, raw = speak(nginx.dial, b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        assert got == [403] and b"application/problem+json" in raw, raw
        got, raw = speak(nginx.dial, POST + b"Content-Length: 9999999999\r\n\r\n")
        assert got == [413] and json.loads(raw.partition(b"\r\n\r\n")[2])["status"] == 413, raw
        # The plain port only points to the other.
        got, raw = speak(lambda: socket.create_connection(("127.0.0.1", nginx.plain)), GET + b"\r\n")
        assert got == [308] and b"Location: https://" in raw, raw
        # Nothing of a person in the log: no address, no query.
        speak(nginx.dial, b"GET /healthz?secret=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        log = (nginx.folder / "access.log").read_text()
        assert log and "127.0.0.1" not in log and "secret" not in log, log


@scenario
def a_log_in_goes_through_nginx_and_the_address_is_the_clients(folder):
    node, sock = through_nginx(folder)
    with node, Nginx(folder, sock) as nginx:
        body = json.dumps({"account": "reporter", "password": DEMO}).encode()
        # A client cannot choose the address under which it is known.
        request = POST + b"X-Real-IP: 203.0.113.9\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        got, raw = speak(nginx.dial, request)
        assert got == [200], raw
        cookie = re.search(rb"set-cookie: (fairway_session=[^;]+); HttpOnly; SameSite=Strict; Path=/; Secure\r\n", raw, re.I)
        assert cookie, raw
        got, raw = speak(nginx.dial, b"GET /api/account/sessions HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: "
                         + cookie.group(1) + b"\r\n\r\n")
        assert got == [200] and b"203.0.113.9" not in raw and b"127.0.0.1" in raw, raw
        # With the node down nginx says so in the same shape, and all is well again afterwards.
        node.stop()
        got, raw = speak(nginx.dial, GET + b"Connection: close\r\n\r\n")
        assert got == [503] and b"Retry-After" in raw and b"application/problem+json" in raw, raw
        node.start()
        until(lambda: speak(nginx.dial, GET + b"Connection: close\r\n\r\n")[0] == [200], 10)


@scenario
def client_certificates_keep_strangers_out(folder):
    node, sock = through_nginx(folder)
    keys = folder / "keys"
    keys.mkdir()
    for name in ("client", "stranger"):
        if shutil.which("openssl") is None:
            raise Skip("openssl is not here")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{keys}/{name}.key", "-out", f"{keys}/{name}.pem", "-days", "2", "-subj", f"/CN={name}"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with node, Nginx(folder, sock, client_ca=keys / "client.pem") as nginx:
        request = GET + b"Connection: close\r\n\r\n"
        assert speak(lambda: nginx.dial(keys / "client"), request)[0] == [200]
        for stranger in (None, keys / "stranger"):
            got, raw = speak(lambda: nginx.dial(stranger), request)
            assert got in ([400], []), raw


# ---- bodies ----

@scenario
def oversized_and_malformed_bodies_are_refused_with_their_place(folder):
    with Node(folder, settings={"http.upload_mib": "2"}) as node:
        officer = node.login("reporter")
        nobody = node.nobody()

        def login(data, kind="application/json"):
            return nobody.request("POST", "/api/session", upload=data, headers={"Content-Type": kind})
        assert login(b"{").expect(400).json()["place"], "a JSON error names its place"
        login(b'{"account":"a","account":"b","password":"c"}').expect(400)
        login(b'{"account":"\xff","password":"c"}').expect(400)
        login(b'{"account":"a\\u0000","password":"c"}').expect(400, 422)
        login(b"[" * 5000 + b"]" * 5000).expect(400)
        login(b'{"account":"a","password":"b"} x').expect(400)
        login(b"").expect(400)
        login(b" " * ((1 << 20) + 1)).expect(413)
        login(b'{"account":"a","password":"' + b"b" * 2000 + b'"}').expect(422)
        assert login(b'{"account":1,"password":"b"}').expect(422).json()["place"] == "account"
        login(b'{"account":"a","password":"b","admin":true}').expect(422)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            login(b'{"account":"a","password":"b"}', kind).expect(415)
            officer.request("POST", "/api/report/imports?file=a.csv", upload=b"x", headers={"Content-Type": kind}).expect(415)
        # What is sent is never repeated in an answer, nor in the log.
        answer = login(b'{"account":"a","password":"very secret words","x":1}')
        assert b"very secret" not in answer.body, answer
        officer.request("POST", "/api/report/imports?file=a.csv", upload=b"x" * (3 << 20)).expect(413)
        officer.request("POST", "/api/report/imports", upload=b"x").expect(422)
        officer.request("POST", "/api/report/imports?file=" + "a" * 300, upload=b"x").expect(422)
        assert "very secret" not in node.log_path.read_text()
        node.login("reporter")


# ---- slow clients ----

class Slow(threading.Thread):
    """Connections of one bad habit until told to stop."""

    def __init__(self, dial, habit, n):
        super().__init__(daemon=True)
        self.dial, self.habit, self.n, self.stop, self.cut = dial, habit, n, threading.Event(), 0

    def run(self):
        socks = []
        while not self.stop.is_set():
            while len(socks) < self.n:
                try:
                    sock = self.dial()
                    if self.habit == "reader":
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                        sock.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
                    elif self.habit == "body":
                        sock.sendall(POST + b"Content-Length: 100000\r\n\r\n")
                    else:
                        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
                    sock.setblocking(False)
                    socks.append(sock)
                except OSError:
                    break
            for sock in list(socks):
                try:
                    if self.habit == "head":
                        sock.send(b"X-A: b\r\n")
                    elif self.habit == "body":
                        sock.send(b"a")
                    else:
                        sock.recv(16)
                    gone = False
                    if self.habit != "reader":
                        try:
                            gone = sock.recv(1) == b""
                        except BlockingIOError:
                            pass
                except BlockingIOError:
                    gone = False
                except OSError:
                    gone = True
                if gone:
                    self.cut += 1
                    sock.close()
                    socks.remove(sock)
            self.stop.wait(0.1)
        for sock in socks:
            sock.close()


@scenario
def slow_clients_are_cut_and_starve_nobody(folder):
    limits = {"http.head_seconds": "2", "http.idle_seconds": "3", "http.body_seconds": "3", "http.per_address": "512",
              "http.connections": "400"}
    with Node(folder, settings=limits) as node:
        officer = node.login("reporter")
        dial = dial_node(node)
        slow = [Slow(dial, habit, 60) for habit in ("head", "body", "reader")]
        for s in slow:
            s.start()
        time.sleep(1)
        times = []
        end = time.monotonic() + 7
        while time.monotonic() < end:
            began = time.monotonic()
            officer.get("/api/session", timeout=5).expect(200)
            times.append(time.monotonic() - began)
            time.sleep(0.01)
        text = node.nobody().get("/metrics").body.decode()
        open_now = float(re.search(r"(?m)^fairway_http_connections (\S+)", text).group(1))
        for s in slow:
            s.stop.set()
        for s in slow:
            s.join(10)
        times.sort()
        assert len(times) > 100 and times[len(times) * 99 // 100] < 0.5, (len(times), times[-5:])
        # Heads and bodies are cut; who does not read was answered into the system's buffers, and its connection
        # was given up, though its end has not got through to him.
        assert slow[0].cut > 0 and slow[1].cut > 0, {s.habit: s.cut for s in slow}
        assert open_now <= 60 + 60 + 4, open_now
        # When they have gone, so have their connections.

        def calm():
            """the connections of slow clients are gone"""
            text = node.nobody().get("/metrics").body.decode()
            return float(re.search(r"(?m)^fairway_http_connections (\S+)", text).group(1)) <= 2
        until(calm, 10, 0.2)


@scenario
def one_address_cannot_take_every_connection(folder):
    with Node(folder, settings={"http.per_address": "8"}) as node:
        dial = dial_node(node)
        held = [dial() for _ in range(8)]
        for sock in held:
            sock.sendall(GET + b"\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
        with dial() as more:
            try:
                more.sendall(GET + b"\r\n")
                assert more.recv(100) == b"", "a ninth connection was served"
            except ConnectionError:
                pass
        for sock in held:
            sock.close()

        def served():
            """the address is served again"""
            return speak(dial, GET + b"Connection: close\r\n\r\n")[0] == [200]
        until(served, 5, 0.1)


# ---- what belongs to HTTP ----

@scenario
def pages_are_fresh_or_known_and_compressed(folder):
    with Node(folder) as node:
        nobody = node.nobody()
        page = nobody.get("/").expect(200)
        assert page.headers["content-type"].startswith("text/html") and page.headers["cache-control"] == "no-cache"
        for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
                     "cross-origin-resource-policy", "permissions-policy"):
            assert name in page.headers, name
        assert "unsafe" not in page.headers["content-security-policy"]
        tag = page.headers["etag"]
        assert nobody.get("/", headers={"If-None-Match": tag}).expect(304).body == b""
        assert nobody.get("/", headers={"If-None-Match": f'"x", W/{tag}'}).expect(304).body == b""
        nobody.get("/", headers={"If-None-Match": '"x"'}).expect(200)
        packed = nobody.get("/", headers={"Accept-Encoding": "gzip"}).expect(200)
        assert packed.headers["content-encoding"] == "gzip" and packed.headers["etag"] != tag
        assert len(packed.body) < len(page.body) and packed.headers["vary"] == "Accept-Encoding"
        nobody.get("/", headers={"If-None-Match": tag, "Accept-Encoding": "gzip"}).expect(200)
        assert "content-encoding" not in nobody.get("/", headers={"Accept-Encoding": "gzip;q=0, br;q=0.0"}).headers
        head = nobody.request("HEAD", "/").expect(200)
        assert head.body == b"" and head.headers["content-length"] == page.headers["content-length"]
        # An address of the pages is the pages; a file that is not there is not.
        assert nobody.get("/report/incidents").expect(200).body == page.body
        nobody.get("/report/incidents.js").expect(404)
        nobody.get("/assets/nothing").expect(404)
        for part in re.findall(rb'(?:src|href)="(/assets/[^"]+)"', page.body):
            file = nobody.get(part.decode()).expect(200)
            assert "immutable" in file.headers["cache-control"], part
        nobody.get("/api/session", headers={"Accept-Encoding": "gzip"}).expect(401)


@scenario
def requests_in_a_row_are_answered_in_their_order(folder):
    with Node(folder) as node:
        dial = dial_node(node)
        many = b"".join(b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"healthz" if i % 2 else b"no.thing") for i in range(60))
        got, _ = speak(dial, many)
        assert got == [404, 200] * 30, got
        # A body that is not wanted does not become the next request.
        got, raw = speak(dial, b"POST /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n"
                         b"GET /no.thing HTTP/1.1\r\nHost: h\r\n\r\n" + GET + b"\r\n")
        assert got == [405, 200], raw


main()
