"""Peers without a window come in by what the environment or a file holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import PEER_SECONDS, ROOT, Broadcaster

SECRET = "the secret of this broadcaster"


def peer(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mixer", "peer", "--settle", "0.5", "--timeout", "100", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PEER_SECONDS, check=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_secrets_come_from_files_and_an_invitation_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # PEER14
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    secret, invited = tmp_path / "secret", tmp_path / "invitation"
    secret.write_text(f"{SECRET}\n")
    options = ("--data", str(tmp_path / "data"), "--tls", "self-signed", "--secret-file", str(secret))
    with Broadcaster(*options) as server:
        there = ("--server", f"tls://{server.address}", "--room", "Set A")
        refused = peer(*there)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "a new room takes the secret" in refused.stderr
        made = peer(*there, "--secret-file", str(secret))
        assert (made.returncode, made.stderr) == (0, "")

        invite = [sys.executable, "-m", "broadcaster", "invite", *there[:2], "Set A"]
        environment = os.environ | {"MIXER_SERVER_SECRET": SECRET}
        line = subprocess.run(invite, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
        invited.write_text(line)
        came = peer("--invitation-file", str(invited))
        assert (came.returncode, came.stderr) == (0, "")
        monkeypatch.setenv("MIXER_INVITATION", line)
        assert peer().returncode == 0
        monkeypatch.setenv("MIXER_INVITATION", "nonsense")
        assert "that is no invitation" in peer().stderr
        monkeypatch.delenv("MIXER_INVITATION")
        assert peer().returncode == 2  # where to?
