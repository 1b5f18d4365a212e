"""Runs in the window: takes Python from standard input, one JSON string a line, and answers each with a line.

One piece of code a tick, so that Blender handles the events of one before the next. Blender ends with its input.
"""

from __future__ import annotations

import ast
import json
import select
import sys
import traceback
from typing import Any

import bpy

TICK_SECONDS = 0.05
ANSWER = "ANSWER "


def view() -> bpy.types.Area:
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def event(type: str, value: str, **more: Any) -> None:
    """One event with the mouse over the 3D view."""
    area = view()
    x, y = area.x + area.width // 3, area.y + area.height // 3
    bpy.context.window_manager.windows[0].event_simulate(type=type, value=value, x=x, y=y, **more)


def tap(key: str, **modifiers: bool) -> None:
    event(key, "PRESS", **modifiers)
    event(key, "RELEASE", **modifiers)


def type_one() -> None:
    event("ONE", "PRESS", unicode="1")


def show_tab() -> None:
    """The sidebar's Mixer tab. It is there once the sidebar was drawn."""
    view().spaces.active.show_region_ui = True
    sidebar = next(region for region in view().regions if region.type == "UI")
    sidebar.active_panel_category = "Mixer"


def run(code: str) -> dict[str, Any]:
    """Runs it among the names of this module; the value of its last line, if that is an expression."""
    try:
        body = ast.parse(code).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "<test>", "exec"), globals())
        value = eval(compile(ast.Expression(last.value), "<test>", "eval"), globals()) if last is not None else None
    except Exception:  # noqa: BLE001 (the test's own fault, told to it)
        return {"error": traceback.format_exc()}
    return {"value": value}


def plain(value: Any) -> Any:
    """What JSON can say of it."""
    return list(value) if hasattr(value, "__iter__") else repr(value)


def tick() -> float | None:
    if select.select([sys.stdin], [], [], 0)[0]:
        line = sys.stdin.readline()
        if not line:
            bpy.ops.wm.quit_blender()
            return None
        print(ANSWER + json.dumps(run(json.loads(line)), default=plain), flush=True)
    return TICK_SECONDS


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(tick, first_interval=0.5, persistent=True)
