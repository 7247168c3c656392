#!/usr/bin/env python3
"""The parts of the loopback Sigstore that no Go module gives: OIDC issuers and a minimal log of RFC 6962.

  stub.py ports COUNT              free ports of the loopback, outside the range of outgoing connections
  stub.py init DIR                 keys, chains, TLS for the issuers, public halves; prints the words that lock the CA's key
  stub.py serve DIR                issuers, CT log and CONNECT proxy on one free port, written to DIR/stub.port
  stub.py token DIR KIND [k=v ...] a signed identity token: github, gitlab or email
  stub.py forward SOCKET PORT      a port of the loopback for a socket in the file system

Needs `cryptography` and `asn1crypto`. The log keeps no tree: it signs SCTs (add-chain, add-pre-chain), and that is all
that fulcio asks of it.
"""
import base64, datetime, hashlib, http.server, json, os, random, secrets, socket, socketserver, ssl, struct, sys, threading, time

from asn1crypto import x509 as ax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU, NameOID

GH, GL, EX = "https://token.actions.githubusercontent.com", "https://gitlab.com", "https://oidc.example.test"
ISSUERS = [EX, GH, GL]
UTC = datetime.timezone.utc
b64u = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def pem_key(k, pw=None):
    enc = ser.BestAvailableEncryption(pw) if pw else ser.NoEncryption()
    return k.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, enc)


def pem_pub(k):
    return k.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)


def cert(subject, key, issuer=None, ikey=None, ca=None, eku=None, years=10, sans=(), pathlen=None):
    now = datetime.datetime.now(UTC).replace(microsecond=0) - datetime.timedelta(hours=1)
    name = lambda cn: x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "example.test"), x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer or subject)).public_key(key.public_key())
         .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365 * years))
         .add_extension(x509.BasicConstraints(bool(ca), pathlen if ca else None), True)
         .add_extension(x509.KeyUsage(not ca, False, False, False, False, bool(ca), bool(ca), False, False), True)
         .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((ikey or key).public_key()), False))
    if eku:
        b = b.add_extension(x509.ExtendedKeyUsage([eku]), eku == EKU.TIME_STAMPING)
    if sans:
        b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(s) for s in sans]), False)
    return b.sign(ikey or key, hashes.SHA384()).public_bytes(ser.Encoding.PEM)


def ports(count):
    """All are held until the last is found, so none comes twice."""
    held = []
    while len(held) < count:
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", random.randrange(20000, 32000)))
            held.append(s)
        except OSError:
            s.close()
    return " ".join(str(s.getsockname()[1]) for s in held)


def init(d):
    os.makedirs(d, exist_ok=True)
    words = secrets.token_hex(8)
    put = lambda n, b: open(os.path.join(d, n), "wb").write(b)
    p256, p384 = (lambda: ec.generate_private_key(ec.SECP256R1())), (lambda: ec.generate_private_key(ec.SECP384R1()))
    root, inter = p384(), p384()
    rc = cert("test-fulcio-root", root, ca=True, pathlen=1)
    ic = cert("test-fulcio-intermediate", inter, "test-fulcio-root", root, ca=True, eku=EKU.CODE_SIGNING, pathlen=0)
    put("fulcio.key", pem_key(inter, words.encode())), put("fulcio-chain.pem", ic + rc)
    troot, tsa = p384(), p384()
    put("tsa.key", pem_key(tsa))
    put("tsa-chain.pem", cert("test-tsa", tsa, "test-tsa-root", troot, eku=EKU.TIME_STAMPING) + cert("test-tsa-root", troot, ca=True, pathlen=0))
    put("oidc.key", pem_key(rsa.generate_private_key(65537, 2048)))
    iroot, iint, itsa = p384(), p256(), p256()
    put("tsa-b.key", pem_key(itsa))
    put("tsa-b-chain.pem", cert("test-tsa-b", itsa, "test-tsa-b-intermediate", iint, eku=EKU.TIME_STAMPING)
        + cert("test-tsa-b-intermediate", iint, "test-tsa-b-root", iroot, ca=True, eku=EKU.TIME_STAMPING, pathlen=0) + cert("test-tsa-b-root", iroot, ca=True, pathlen=1))
    for n in ("ctlog", "rekor-b", "rekor1"):
        k = p256()
        put(n + ".key", pem_key(k)), put(n + ".pub", pem_pub(k))
    k = ed25519.Ed25519PrivateKey.generate()
    put("rekor.key", pem_key(k)), put("rekor.pub", pem_pub(k))
    web = p256()
    put("web.key", pem_key(web))
    put("web.pem", cert("test-oidc-web", web, ca=True, eku=None, sans=sorted({i.split("/")[2] for i in ISSUERS})))
    return words


def token(d, kind, over):
    now = int(time.time())
    c = {"aud": "sigstore", "iat": now, "nbf": now, "exp": now + 600}
    if kind == "email":
        c |= {"iss": EX, "sub": "CgVhbGljZQ", "email": "alice@example.test", "email_verified": True}
    elif kind == "github":
        sha, r = "6f1c2e8a90b7d3545c8b1f0e2d7a4c9b3e5f6071", "lotse-example/app"
        c |= {"iss": GH, "jti": "0b1f4e6c-6f0b-4f5a-9c55-5f7f2f2b9c1e", "sub": f"repo:{r}:ref:refs/tags/v1.2.3", "ref": "refs/tags/v1.2.3", "sha": sha, "repository": r,
              "repository_owner": "lotse-example", "repository_owner_id": "9001", "run_id": "7001", "run_number": "41", "run_attempt": "1",
              "repository_visibility": "public", "repository_id": "8001", "actor_id": "101", "actor": "alice", "workflow": "release", "head_ref": "",
              "base_ref": "", "event_name": "release", "ref_protected": "false", "ref_type": "tag",
              "workflow_ref": f"{r}/.github/workflows/release.yml@refs/tags/v1.2.3", "workflow_sha": sha,
              "job_workflow_ref": "lotse-example/workflows/.github/workflows/sign.yml@refs/tags/v3", "job_workflow_sha": "0" * 39 + "3",
              "runner_environment": "github-hosted", "environment": "production"}
    elif kind == "gitlab":
        p = "lotse-example/app"
        c |= {"iss": GL, "sub": f"project_path:{p}:ref_type:branch:ref:main", "namespace_id": "72", "namespace_path": "lotse-example", "project_id": "20",
              "project_path": p, "user_id": "1", "user_login": "alice", "user_email": "alice@example.test", "pipeline_id": "574", "pipeline_source": "push",
              "job_id": "302", "ref": "main", "ref_type": "branch", "ref_protected": "true", "runner_id": 1, "runner_environment": "gitlab-hosted",
              "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "project_visibility": "public", "user_identities": [],
              "ci_config_ref_uri": f"gitlab.com/{p}//.gitlab-ci.yml@refs/heads/main", "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc"}
    else:
        raise SystemExit("kind?")
    c |= {k: v for k, v in (o.split("=", 1) for o in over)}
    key = ser.load_pem_private_key(open(os.path.join(d, "oidc.key"), "rb").read(), None)
    body = ".".join(b64u(json.dumps(x, separators=(",", ":")).encode()) for x in ({"alg": "RS256", "typ": "JWT", "kid": "1"}, c))
    return body + "." + b64u(key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        print(self.command, self.path, *a[1:2], file=sys.stderr, flush=True)

    def reply(self, obj, code=200):
        b = json.dumps(obj).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(b)))
        self.end_headers()
        self.wfile.write(b)

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            tls = self.server.tls.wrap_socket(self.connection, server_side=True)
            Handler(tls, self.client_address, self.server)
            tls.close()
        except OSError as e:
            print("tls", e, file=sys.stderr, flush=True)

    def do_GET(self):
        host, path = self.headers.get("Host", ""), self.path
        if path.endswith("/.well-known/openid-configuration"):
            iss = "https://" + host + path[: -len("/.well-known/openid-configuration")]
            return self.reply({"issuer": iss, "authorization_endpoint": iss + "/auth", "token_endpoint": iss + "/token", "jwks_uri": iss + "/keys",
                               "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                               "id_token_signing_alg_values_supported": ["RS256"]})
        if path.endswith("/keys"):
            n = self.server.oidc.public_key().public_numbers()
            return self.reply({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": b64u(n.n.to_bytes(256, "big")), "e": "AQAB"}]})
        self.reply({"error": "not found"}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith(("/ct/v1/add-pre-chain", "/ct/v1/add-chain")):
            return self.reply({"error": "not found"}, 404)
        chain = [base64.b64decode(c) for c in json.loads(body)["chain"]]
        ms = int(time.time() * 1000)
        if self.path.endswith("add-pre-chain"):
            tbs = ax.Certificate.load(chain[0])["tbs_certificate"]
            tbs["extensions"] = ax.Extensions([e for e in tbs["extensions"] if e["extn_id"].dotted != "1.3.6.1.4.1.11129.2.4.3"])
            der = tbs.dump(force=True)
            spki = ax.Certificate.load(chain[1])["tbs_certificate"]["subject_public_key_info"].dump()
            entry = struct.pack(">H", 1) + hashlib.sha256(spki).digest() + len(der).to_bytes(3, "big") + der
        else:
            entry = struct.pack(">H", 0) + len(chain[0]).to_bytes(3, "big") + chain[0]
        k = self.server.ct
        sig = k.sign(struct.pack(">BBQ", 0, 0, ms) + entry + b"\0\0", ec.ECDSA(hashes.SHA256()))
        spki = k.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        self.reply({"sct_version": 0, "id": base64.b64encode(hashlib.sha256(spki).digest()).decode(), "timestamp": ms, "extensions": "",
                    "signature": base64.b64encode(b"\x04\x03" + len(sig).to_bytes(2, "big") + sig).decode()})


def serve(d):
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    s.daemon_threads = True
    load = lambda n: ser.load_pem_private_key(open(os.path.join(d, n), "rb").read(), None)
    s.oidc, s.ct = load("oidc.key"), load("ctlog.key")
    s.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    s.tls.load_cert_chain(os.path.join(d, "web.pem"), os.path.join(d, "web.key"))
    with open(os.path.join(d, "stub.port.tmp"), "w") as f:
        f.write(str(s.server_port))
    os.rename(os.path.join(d, "stub.port.tmp"), os.path.join(d, "stub.port"))
    s.serve_forever()


def forward(path, port):
    def pump(a, b):
        try:
            while d := a.recv(65536):
                b.sendall(d)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    class H(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.socket(socket.AF_UNIX) as u:
                u.connect(path)
                t = threading.Thread(target=pump, args=(self.request, u), daemon=True)
                t.start()
                pump(u, self.request)

    socketserver.ThreadingTCPServer.allow_reuse_address = socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("127.0.0.1", port), H).serve_forever()


if __name__ == "__main__":
    cmd, d, *rest = sys.argv[1:]
    if cmd == "ports":
        print(ports(int(d)))
    elif cmd == "init":
        print(init(d))
    elif cmd == "serve":
        serve(d)
    elif cmd == "forward":
        forward(d, int(rest[0]))
    elif cmd == "token":
        print(token(d, rest[0], rest[1:]))
