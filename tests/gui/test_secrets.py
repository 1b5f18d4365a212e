"""What people paste and type to be let in, in a real window: it lets them in, and stands in no file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from broadcaster import invitation
from tests.peers.processes import Broadcaster

from .window import AT_REST, ROOT, Window

SECRET: Final = "the secret of this broadcaster"
PASSWORD: Final = "the password of this room"
NO_OPENSSL: Final = "the openssl command makes the certificate"
FIELDS: Final = 'fields = bpy.context.preferences.addons["bl_ext.user_default.mixer"].preferences'


@pytest.mark.skipif(shutil.which("openssl") is None, reason=NO_OPENSSL)
def test_an_invitation_that_is_pasted_lets_in(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # GUI14
    monkeypatch.setenv("MIXER_SERVER_SECRET", SECRET)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with Broadcaster("--data", str(tmp_path / "data"), "--tls", "self-signed") as server:
        address = f"tls://{server.address}"
        window.run(FIELDS)
        window.run(f"fields.server = {address!r}")
        window.run(f"fields.secret = {SECRET!r}; fields.password = {PASSWORD!r}")
        assert window.run("bpy.ops.mixer.list_rooms()") == ["FINISHED"]
        window.wait_for("lobby.server is not None")
        pinned = window.run("lobby.pinned")
        assert window.run('bpy.ops.mixer.create_room(room="Set A")') == ["FINISHED"]
        window.wait_for(f"session.current() is not None and {AT_REST}")
        window.run("bpy.ops.mixer.leave_room()")
        window.run('fields.server = "elsewhere:1"')
        assert window.run("[fields.secret, fields.password, fields.invitation]") == ["", "", ""]

        window.run(
            f"fields.server = {address!r}; fields.password = {PASSWORD!r}"
        )  # who knows no more than the password
        window.run("bpy.ops.mixer.list_rooms()")
        window.wait_for('"takes the secret" in lobby.message')
        assert window.run("lobby.pinned") == pinned
        assert window.run('bpy.ops.mixer.join_room(room="Set A")') == ["FINISHED"]
        window.wait_for(f"session.current() is not None and {AT_REST}")
        window.run("bpy.ops.mixer.leave_room()")

        invite = [sys.executable, "-m", "broadcaster", "invite", "--server", address, "Set A"]
        line = subprocess.run(invite, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        invited = invitation.read(line)
        assert invited is not None
        assert invited.fingerprint == pinned
        window.run(f"fields.invitation = {line!r}")
        assert window.run("fields.server") == address
        assert window.run("bpy.ops.mixer.join_room(room=lobby.invited.room)") == ["FINISHED"]
        window.wait_for(f"session.current() is not None and {AT_REST}")
        assert window.run("len(session.current().people.members)") == 1

        window.run(f"fields.secret = {SECRET!r}; fields.password = {PASSWORD!r}")
        kept = tmp_path / "kept.blend"
        window.run(f"bpy.ops.wm.save_as_mainfile(filepath={str(kept)!r}, compress=False)")
        window.run("bpy.ops.wm.save_userpref()")
        preferences = tmp_path / "userpref.blend"
        window.run("import shutil; source = bpy.utils.user_resource('CONFIG', path='userpref.blend')")
        window.run(f"shutil.copy(source, {str(preferences)!r})")
        for file in (kept, preferences):
            held = file.read_bytes()
            assert len(held) > 1000
            for told in (SECRET, PASSWORD, invited.token):
                assert told.encode() not in held
        window.run("bpy.ops.mixer.leave_room()")
        other = str(invited._replace(fingerprint="0" * 64))
        window.run(f"fields.invitation = {other!r}")
        window.run("bpy.ops.mixer.join_room(room=lobby.invited.room)")
        window.wait_for('"another certificate than the invitation names" in lobby.message')
        window.run("fields.invitation = 'nonsense'")
        assert "no invitation" in window.run("lobby.message")
