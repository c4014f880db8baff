"""Asking another machine: an unknown certificate, a redirect, an answer without end are refused in a sentence."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from astrack.mailbox import guarded
from astrack.mailbox.guarded import OtherSideSilent


class _Odd(http.server.BaseHTTPRequestHandler):
    """Redirects from one path, answers without end at another, says who asked at a third."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/secret")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(10_000 if self.path == "/endless" else 1):
                self.wfile.write(b"x" * 10_000)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Odd) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with serving(context) as port:
        with guarded.opened() as asked, pytest.raises(OtherSideSilent, match="ConnectError"):
            guarded.ask(asked, "GET", f"https://127.0.0.1:{port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with guarded.opened() as asked:
            assert guarded.ask(asked, "GET", f"https://127.0.0.1:{port}/").status == 200


def test_nobody_is_followed_elsewhere_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving() as port, guarded.opened() as asked:
        assert guarded.ask(asked, "GET", f"http://127.0.0.1:{port}/away").status == 302


def test_an_answer_without_end_is_cut_off() -> None:
    with serving() as port, guarded.opened() as asked, pytest.raises(OtherSideSilent, match="more than 65536 bytes"):
        guarded.ask(asked, "GET", f"http://127.0.0.1:{port}/endless", most=1 << 16)
