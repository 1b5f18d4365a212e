"""A Blender window, driven from outside."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, Final

from tests.peers.processes import At

from .keeper import lock_of

ROOT: Final = Path(__file__).resolve().parents[2]
DRIVER: Final = "driver.py"
ANSWER: Final = "ANSWER "  # the driver's
DISPLAYS: Final = range(90, 200)
START_SECONDS: Final = 200  # more than a busy machine takes, as the next two
ANSWER_SECONDS: Final = 100
WAIT_SECONDS: Final = 100
POLL_SECONDS: Final = 0.1
LAST_CHARS: Final = 3000
BUILD_SECONDS: Final = 300  # it fetches wheels the first time
INSTALL_SECONDS: Final = 300
NAMES: Final = """
from bl_ext.user_default.mixer import arrival, session, watch
from bl_ext.user_default.mixer.ui import timer
from bl_ext.user_default.mixer.ui.lobby import lobby
view().spaces.active.show_region_ui = True
"""
AT_REST: Final = "session.current().state is arrival.State.IN_STEP and session.current().is_quiet()"


def blender_gui(*arguments: str) -> list[str]:
    """The command that MIXER_BLENDER_GUI names."""
    return [*shlex.split(os.environ["MIXER_BLENDER_GUI"]), *arguments]


def environment(home: Path) -> dict[str, str]:
    """A user of its own: preferences and extensions."""
    return os.environ | {"BLENDER_GUI_HOME": str(home)}


def install(home: Path, output: Path) -> None:
    """Builds the zip into `output` and installs it for the user of `home`, as from the command line.

    All that a window is given lies in `home`, which is where it starts: it need not see this checkout.
    """
    home.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name(DRIVER), home)
    build = [sys.executable, "-m", "tools.build_extension", "--platform", "linux-x64", "--output", str(output)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    [zip_file] = output.glob("*.zip")
    command = blender_gui(
        "blender", "--command", "extension", "install-file", "-r", "user_default", "-e", str(zip_file)
    )
    subprocess.run(command, cwd=home, env=environment(home), check=True, timeout=INSTALL_SECONDS)


def claim_display() -> tuple[int, socket.socket]:
    """A display that nobody has. It is ours among all test runs for as long as the socket is open."""
    for number in DISPLAYS:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0mixer-display-{number}")
        except OSError:
            claim.close()
            continue
        if not lock_of(number).exists():
            return number, claim
        claim.close()
    raise RuntimeError("every display is taken")


class Window:
    """One Blender on a display of its own, until the end of the `with` block."""

    def __init__(self, home: Path) -> None:
        self.display, self._claim = claim_display()
        options = ["--enable-event-simulate", "-P", str(home / DRIVER)]
        self._process = subprocess.Popen(
            blender_gui("run", "-d", str(self.display), "--", *options),
            cwd=home,
            env=environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # the display and Blender are ended with the group
        )
        keeper = [sys.executable, "-m", "tests.gui.keeper", str(self._process.pid), str(self.display)]
        self._keeper = subprocess.Popen(keeper, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        self._answers: SimpleQueue[str] = SimpleQueue()
        self._said: list[str] = []
        Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def __enter__(self) -> Window:
        try:
            self.run("None", START_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._keeper.communicate()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._claim.close()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                if line.startswith(ANSWER):
                    self._answers.put(line.removeprefix(ANSWER))
                else:
                    self._said.append(line)

    def run(self, code: str, seconds: float = ANSWER_SECONDS) -> Any:
        """Runs Python in Blender; the value of its last line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        try:
            answer = json.loads(self._answers.get(timeout=seconds))
        except Empty:
            raise AssertionError(f"the window does not answer {code!r}: {self.said}") from None
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def wait_for(self, condition: str, seconds: float = WAIT_SECONDS) -> None:
        """Until an expression is true in Blender."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"{condition!r} never came true: {self.said}"
            time.sleep(POLL_SECONDS)

    def steps(self, *codes: str) -> None:
        """Runs one after the other, with a tick of Blender after each for its events."""
        for code in codes:
            self.run(code)

    def show_mixer(self) -> None:
        """Opens the extension's tab, and gives code the names of its modules."""
        self.run(NAMES)
        self.run("show_tab()")

    def host_and_share(self) -> At:
        """Presses Host Here, then Share in a New Room."""
        assert self.run("bpy.ops.mixer.host()") == ["FINISHED"]
        self.wait_for("lobby.server is not None")
        assert self.run('bpy.ops.mixer.create_room(room="room")') == ["FINISHED"]
        self.wait_for(f"session.current() is not None and {AT_REST}")
        return At(self.run("lobby.host.address"))

    @property
    def said(self) -> str:
        """What it printed last."""
        return "".join(self._said)[-LAST_CHARS:]

    @property
    def failed(self) -> bool:
        """Whether some Python in Blender failed: a panel that could not be drawn says so on the console."""
        return any("Traceback" in line for line in self._said)
