"""The layers, held by reading every import: they only point right, nothing is imported late, no cycle."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]

# A part is a module or folder right below its package. It may import what stands right of it, and all right of that.
BROADCASTER: Final = {
    "__main__": "commands server web logs",
    "commands": "archive remote invitation",
    "server": "snapshot room protocol store figures archive",
    "web": "room protocol figures",
    "logs": "errors",
    "figures": "",
    "archive": "document wire",
    "remote": "document protocol pins",
    "pins": "errors",
    "invitation": "errors",
    "store": "room",
    "snapshot": "room",
    "room": "document wire",
    "member": "rebase",
    "rebase": "document",
    "document": "tree limits",
    "tree": "errors",
    "protocol": "limits",
    "limits": "wire",
    "wire": "errors",
    "errors": "",
}
MIXER: Final = {
    "__init__": "ui watch",
    "__main__": "headless watch compare",
    "ui": "session host rooms",
    "watch": "session",
    "plugins": "session",
    "headless": "session",
    "session": "arrival upkeep undo",
    "arrival": "work resume people",
    "upkeep": "work names cycles",
    "work": "exchange",
    "exchange": "client locks authors proxy stats",
    "rooms": "client",
    "names": "proxy",
    "cycles": "proxy",
    "resume": "authors stamp proxy",
    "undo": "lookout work",
    "lookout": "proxy sweep stats",
    "locks": "",
    "people": "",
    "stamp": "",
    "network": "client",
    "client": "beside",
    "proxy": "rules trust",
    "rules": "",
    "trust": "",
    "authors": "gone",
    "gone": "",
    "compare": "",  # it judges the mirror, so it shares nothing with it
    "host": "beside",
    "beside": "",
    "stats": "",
    "sweep": "",
}
SHARED: Final = {
    "member",
    "document",
    "tree",
    "protocol",
    "wire",
    "pins",
    "invitation",
    "errors",
}  # what mixer takes of the broadcaster

BLENDER: Final = (
    "mixer/__init__ mixer/__main__ mixer/headless mixer/compare mixer/proxy mixer/session mixer/watch mixer/ui"
)
THIRD_PARTY: Final = {  # where it may be imported; nothing else may be
    "bpy": BLENDER,
    "bmesh": "mixer/proxy",
    "mathutils": BLENDER,
    "bl_math": "mixer/proxy",
    "numpy": "mixer/proxy mixer/compare",
    "xxhash": "mixer/proxy",
    "orjson": "broadcaster mixer",
    "trio": "broadcaster/server broadcaster/web broadcaster/store broadcaster/__main__ mixer/network",
    "hypercorn": "broadcaster/web",
    "starlette": "broadcaster/web",
    "prometheus_client": "broadcaster/web",
    "structlog": "broadcaster/logs",
}
LATE: Final = {"mixer": {"register", "unregister"}}  # functions that import: nothing is loaded before it is enabled


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module imports, resolved: `target` is a module of the project, or a package from elsewhere."""

    target: str
    relative: bool
    function: str | None  # in which it stands


@cache
def modules() -> Mapping[str, Path]:
    """Dotted name -> file, of both packages."""
    files = [path for package in ("broadcaster", "mixer") for path in (ROOT / package).rglob("*.py")]
    return {".".join(_dotted(path)): path for path in sorted(files)}


def _dotted(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


@cache
def imports(module: str) -> tuple[Import, ...]:
    path = modules()[module]
    package = path.relative_to(ROOT).parent.parts
    return tuple(_imports(ast.parse(path.read_text()), package, None))


def _imports(node: ast.AST, package: tuple[str, ...], function: str | None) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from (Import(_module(name.name), False, function) for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*package[: len(package) - level + 1], *filter(None, [module])] if level else [module or ""]
                yield from (Import(_module(".".join([*base, name.name])), level > 0, function) for name in names)
            case ast.FunctionDef(name=inner) | ast.AsyncFunctionDef(name=inner):
                yield from _imports(child, package, inner)
            case _:
                yield from _imports(child, package, function)


def _module(name: str) -> str:
    """The module that holds `name`, or the top package if it is not ours."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (module := ".".join(parts[:end])) in modules():
            return module
    return parts[0]


def part(module: str) -> str:
    """`mixer.proxy.values` is of the part `proxy`; the package itself is `__init__`."""
    return (*module.split("."), "__init__")[1]


def right_of(layers: Mapping[str, str], one: str) -> set[str]:
    """All that stands right of one part."""
    found: set[str] = set()
    waiting = layers[one].split()
    while waiting:
        if (other := waiting.pop()) not in found:
            found.add(other)
            waiting += layers[other].split()
    return found


def of_package(package: str) -> list[str]:
    return [module for module in modules() if module.split(".")[0] == package]


@pytest.mark.parametrize("module", of_package("broadcaster") + of_package("mixer"))
def test_imports_only_point_right(module: str) -> None:  # LAYER1
    package, here = module.split(".")[0], part(module)
    layers = BROADCASTER | {"__init__": ""} if package == "broadcaster" else MIXER
    assert here in layers, f"{module} stands in no layer"
    allowed = right_of(layers, here) | {here} | ({"__init__"} if package == "broadcaster" else set())
    siblings = {one.target for one in imports(module) if one.target.split(".")[0] == package}
    assert {part(target) for target in siblings} <= allowed


@pytest.mark.parametrize("module", of_package("mixer"))
def test_mixer_shares_only_the_pure_part_of_the_broadcaster(module: str) -> None:  # LAYER2
    assert {part(one.target) for one in imports(module) if one.target.split(".")[0] == "broadcaster"} <= SHARED


@pytest.mark.parametrize("module", of_package("broadcaster") + of_package("mixer"))
def test_what_is_not_ours_is_imported_only_where_it_belongs(module: str) -> None:  # LAYER3
    place = f"{module.split('.')[0]}/{part(module)}"
    ours = {"broadcaster", "mixer"} if module.split(".")[0] == "mixer" else {"broadcaster"}
    for one in imports(module):
        name = one.target.split(".")[0]
        if name in ours or name in sys.stdlib_module_names:
            continue
        places = THIRD_PARTY.get(name, "").split()
        assert place in places or place.split("/")[0] in places, f"{module} imports {name}"


@pytest.mark.parametrize("module", of_package("broadcaster") + of_package("mixer"))
def test_siblings_are_imported_relatively(
    module: str,
) -> None:  # LAYER4: Blender names it bl_ext.REPOSITORY.mixer
    package = module.split(".")[0]
    assert not [one for one in imports(module) if one.target.split(".")[0] == package and not one.relative]


@pytest.mark.parametrize("module", of_package("broadcaster") + of_package("mixer"))
def test_nothing_is_imported_in_a_function(module: str) -> None:  # LAYER5
    assert {one.function for one in imports(module) if one.function} <= LATE.get(module, set())


@pytest.mark.parametrize("module", of_package("mixer"))
def test_nothing_runs_in_a_thread_beside_blender(module: str) -> None:  # LAYER8: the reason stands in `beside.py`
    assert not {one.target for one in imports(module)} & {"threading", "concurrent", "multiprocessing", "_thread"}


def test_no_module_imports_itself_by_way_of_others() -> None:  # LAYER6
    graph = {module: {one.target for one in imports(module)} - {module} for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        pytest.fail(f"cycle: {' <- '.join(exc.args[1])}")


def test_the_layers_themselves_have_no_cycle() -> None:  # LAYER7
    for layers in (BROADCASTER, MIXER):
        TopologicalSorter({one: rest.split() for one, rest in layers.items()}).prepare()
