"""TLS for both ports: certificate files, or a certificate that this broadcaster makes for itself."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

import trio

from ..errors import Refused

DAYS: Final = "3650"
COMMAND: Final = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch -subj /CN=mixer"
BEGIN: Final = "-----BEGIN CERTIFICATE-----"
END: Final = "-----END CERTIFICATE-----"
OPENSSL_SECONDS: Final = 30.0


class TlsStream(trio.abc.HalfCloseableStream):
    """TLS over a TCP connection. It has no half-close: what was sent is sent, and the end comes with `aclose`."""

    def __init__(self, stream: trio.SocketStream, context: ssl.SSLContext) -> None:
        self.transport = stream
        self._stream: trio.SSLStream[trio.SocketStream] = trio.SSLStream(
            stream, context, server_side=True, https_compatible=True
        )

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await self._stream.aclose()


def server_context(certificate: Path, key: Path) -> tuple[ssl.SSLContext, str]:
    """What to serve with, and the certificate's fingerprint. Raises Refused if the files do not go together."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        text = certificate.read_text()  # a chain begins with the server's own
        first = text[text.index(BEGIN) : text.index(END) + len(END)]
        return context, sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
    except (OSError, ValueError) as exc:
        raise Refused(f"{certificate} and {key} cannot be used for TLS: {exc}") from exc


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate and its key in `folder`, made if they are not there: clients know it by its fingerprint.

    Raises Refused if the `openssl` command cannot make them.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if certificate.exists() and key.exists():
        return certificate, key
    if (openssl := shutil.which("openssl")) is None:
        raise Refused("the openssl command, which makes a certificate, is not here: use --tls CERT KEY")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    files = ["-days", DAYS, "-keyout", str(key), "-out", str(certificate)]
    done = subprocess.run(
        [openssl, *COMMAND.split(), *files], capture_output=True, text=True, timeout=OPENSSL_SECONDS, check=False
    )
    if done.returncode != 0:
        raise Refused(f"openssl made no certificate: {(done.stderr.strip().splitlines() or ['it says nothing'])[-1]}")
    key.chmod(0o600)
    return certificate, key
