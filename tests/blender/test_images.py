"""Images, sounds and fonts: their bytes, wherever they lie, and what was painted since."""

from __future__ import annotations

import os
import struct
import wave
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import pytest

from broadcaster.errors import RemoteProtocolError
from mixer.proxy import Mirror
from mixer.proxy.packed import sound
from mixer.proxy.pictures import size_of

from .roundtrip import MemoryBlobs, load, mismatches, share
from .test_mirror import apply, edit, everything, put, uuid_of

pytestmark = pytest.mark.usefixtures("empty")

CORPUS: Final = os.environ.get("MIXER_CORPUS")
SIDE: Final = 96  # enough pixels for several chunks
FORMATS: Final = {  # of Blender: what it calls a format -> extension
    "BMP": "bmp",
    "HDR": "hdr",
    "JPEG": "jpg",
    "JPEG2000": "jp2",
    "OPEN_EXR": "exr",
    "PNG": "png",
    "TARGA": "tga",
    "TIFF": "tif",
    "WEBP": "webp",
}


def image(name: str = "Picture", *, is_float: bool = False, side: int = SIDE) -> Any:
    found = bpy.data.images.new(name, side, side, float_buffer=is_float)
    found.use_fake_user = True
    return found


def paint(picture: Any, seed: int = 0) -> Any:
    """Fills an image with noise; the pixels as they then are."""
    noise = np.random.default_rng(seed).random(len(picture.pixels), np.float32)
    picture.pixels.foreach_set(noise)
    picture.update()
    return pixels(picture)


def pixels(picture: Any) -> Any:
    found = np.empty(len(picture.pixels), np.float32)
    picture.pixels.foreach_get(found)
    return found


def picture_file(path: Path, seed: int = 0, form: str = "PNG") -> bytes:
    """A picture written by Blender; its bytes."""
    made = image("Written", side=16)
    paint(made, seed)
    made.filepath_raw, made.file_format = str(path), form
    made.save()
    bpy.data.images.remove(made)
    return path.read_bytes()


def again() -> Mirror:
    """What is here, shared and loaded in its place: nothing may be lost."""
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    kinds = ("images", "sounds", "fonts")
    assert [text for text in mismatches(mirror, document) if text.startswith(kinds)] == []
    assert [delta for delta in everything(mirror) if mirror.entries[delta[0]].kind in kinds] == []
    return mirror


@pytest.mark.parametrize("is_float", [False, True])
def test_painted_pixels_come_back(is_float: bool) -> None:  # IMAGE1
    before = paint(image(is_float=is_float))
    again()
    picture = bpy.data.images["Picture"]
    assert (picture.source, picture.is_float, picture.is_dirty) == ("GENERATED", is_float, True)
    assert np.array_equal(pixels(picture), before)


def test_a_stroke_sends_the_chunks_it_touches() -> None:  # IMAGE1
    picture = image(is_float=True, side=256)
    paint(picture)
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    picture.pixels[12] = 0.5
    picture.update()
    (delta,) = everything(mirror)
    verb, _, changes = delta[1][1]["image"][1]["pixels"]
    assert (verb, list(changes["pixels"][1])) == ("arrays", ["0"])
    assert everything(mirror) == []


def test_a_generated_image_is_its_settings() -> None:  # IMAGE1
    picture = image()
    picture.generated_type, picture.generated_width = "UV_GRID", 48
    mirror = again()
    picture = bpy.data.images["Picture"]
    assert (picture.generated_type, tuple(picture.size), picture.is_dirty) == ("UV_GRID", (48, SIDE), False)
    assert mirror.entries[uuid_of(mirror, picture)].live["image"] == {"file": None, "pixels": None, "tiles": None}


@pytest.mark.parametrize("is_packed", [False, True])
def test_files_arrive_packed_and_without_a_path(tmp_path: Path, is_packed: bool) -> None:  # IMAGE2
    data = picture_file(tmp_path / "a.png")
    picture = bpy.data.images.load(str(tmp_path / "a.png"))
    picture.use_fake_user, picture.alpha_mode = True, "CHANNEL_PACKED"
    picture.colorspace_settings.name = "Non-Color"
    before = pixels(picture)
    if is_packed:
        picture.pack()
        (tmp_path / "a.png").unlink()
    again()
    picture = bpy.data.images["a.png"]
    assert (picture.source, picture.filepath, bytes(picture.packed_file.data)) == ("FILE", "", data)
    assert (picture.alpha_mode, picture.colorspace_settings.name) == ("CHANNEL_PACKED", "Non-Color")
    assert np.array_equal(pixels(picture), before)
    picture.reload()
    assert np.array_equal(pixels(picture), before)


def test_a_file_that_another_member_changed_is_shown(tmp_path: Path) -> None:  # IMAGE2
    old, new = picture_file(tmp_path / "a.png", 1), picture_file(tmp_path / "b.png", 2)
    picture = bpy.data.images.load(str(tmp_path / "a.png"))
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    before = pixels(picture)
    member, uuid = put(mirror, picture)
    node = {"$": "blob", "sha": blobs.put(new), "size": len(new)}
    edit(member, uuid, image={"file": node, "pixels": None, "tiles": None})
    assert apply(mirror, member, uuid) == []
    assert not np.array_equal(pixels(picture), before)
    assert bytes(picture.packed_file.data) == new != old
    assert everything(mirror) == []


def test_bytes_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # IMAGE3
    picture_file(tmp_path / "a.png")
    packed, plain = (bpy.data.images.load(str(tmp_path / "a.png"), check_existing=False) for _ in range(2))
    packed.pack()
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    monkeypatch.setattr(blobs, "put", None)
    assert everything(mirror) == []
    monkeypatch.undo()
    picture_file(tmp_path / "a.png", 5)
    (delta,) = everything(mirror)
    assert delta[0] == uuid_of(mirror, plain)


@pytest.mark.parametrize("is_packed", [False, True])
def test_tiles_come_back(tmp_path: Path, is_packed: bool) -> None:  # IMAGE4
    data = {number: picture_file(tmp_path / f"t.{number}.png", number) for number in (1001, 1002, 1012)}
    picture = bpy.data.images.new("Tiled", 8, 8, tiled=True)
    picture.use_fake_user = True
    picture.filepath_raw = str(tmp_path / "t.<UDIM>.png")
    for number in (1002, 1012):
        picture.tiles.new(number, label=f"tile {number}")
    if is_packed:
        picture.pack()
    mirror = again()
    picture = bpy.data.images["Tiled"]
    assert (picture.source, picture.filepath_raw) == ("TILED", "")
    assert {one.tile_number: bytes(one.packed_file.data) for one in picture.packed_files} == data
    assert {one.filepath for one in picture.packed_files} == {""}
    assert [(tile.number, tile.label) for tile in picture.tiles][1:] == [(1002, "tile 1002"), (1012, "tile 1012")]
    assert [tuple(tile.size) for tile in picture.tiles] == [(16, 16)] * 3
    picture.tiles.remove(picture.tiles.get(1012))
    (delta,) = (delta for delta in everything(mirror) if delta[0] == uuid_of(mirror, picture))
    assert delta[1][1]["image"][1]["tiles"][1]["1012"] == ["remove"]


@pytest.mark.skipif(not CORPUS, reason="MIXER_CORPUS names no folder of real scenes")
def test_the_tiles_of_a_real_scene_come_back() -> None:  # IMAGE4
    bpy.ops.wm.open_mainfile(filepath=str(Path(CORPUS or "", "gltf_blender_io/33_udim.blend")))
    sizes = {one.name: [tuple(tile.size) for tile in one.tiles] for one in bpy.data.images if one.source == "TILED"}
    assert len(sizes) == 4
    again()
    assert {name: [tuple(tile.size) for tile in bpy.data.images[name].tiles] for name in sizes} == sizes


def test_videos_are_named_as_not_mirrored() -> None:  # IMAGE5
    image().source = "MOVIE"
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    assert "video" in mirror.ctx.refused["Image.source"]


def test_a_member_opens_no_file_here(tmp_path: Path) -> None:  # IMAGE6
    """An image that merely names a private file is made to show it: its bytes go nowhere."""
    private = picture_file(tmp_path / "private.png")
    picture = image(side=8)
    picture.filepath_raw = str(tmp_path / "private.png")
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    member, uuid = put(mirror, picture)
    edit(member, uuid, source="FILE", filepath=str(tmp_path / "private.png"), filepath_raw="/etc/passwd")
    assert apply(mirror, member, uuid) == []
    picture.colorspace_settings.name = "Non-Color"
    everything(mirror)
    assert mirror.entries[uuid].live["image"]["file"] is None
    assert private not in blobs.values()
    assert picture.filepath_raw == str(tmp_path / "private.png")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\0\0\0" + b"\0" * 64


@pytest.mark.parametrize("data", [png(1 << 20, 1 << 20), png(0, 5), b"no picture", b"", b"\xff\xd8\xff\xe0"])
def test_bytes_that_are_no_picture_or_a_huge_one_are_refused(data: bytes) -> None:  # IMAGE7
    picture = image(side=8)
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    member, uuid = put(mirror, picture)
    node = {"$": "blob", "sha": blobs.put(data), "size": len(data)}
    edit(member, uuid, source="FILE", image={"file": node, "pixels": None, "tiles": None})
    assert apply(mirror, member, uuid) == []
    assert picture.packed_file is None
    assert "picture" in mirror.ctx.refused["Image.image"]


def test_sizes_that_contradict_are_refused() -> None:  # IMAGE7
    picture = image(side=8)
    before = paint(picture)
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    member, uuid = put(mirror, picture)
    layout = mirror.entries[uuid].live["image"]["pixels"]
    node = {**layout["of"]["pixels"], "shape": [1 << 20, 1 << 20, 4]}
    parts = {"file": None, "pixels": {**layout, "of": {"pixels": node}}, "tiles": None}
    edit(member, uuid, image=parts, generated_width=1 << 16, generated_height=1 << 16)
    assert apply(mirror, member, uuid) == []
    assert tuple(picture.size) == (8, 8)
    assert np.array_equal(pixels(picture), before)
    assert {"Image.image", "Image.generated_width", "Image.generated_height"} <= mirror.ctx.refused.keys()


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_the_size_of_a_picture_is_known_before_it_is_decoded(tmp_path: Path, form: str) -> None:  # IMAGE7
    path = tmp_path / f"a.{FORMATS[form]}"
    picture = bpy.data.images.new("Wide", 200, 120)
    picture.filepath_raw, picture.file_format = str(path), form
    picture.save()
    data = path.read_bytes()
    assert size_of(data) == (200, 120)
    for length in range(0, len(data), max(len(data) // 50, 1)):
        size_of(data[:length])  # raises nothing


def tone(path: Path) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 32)
    return path.read_bytes()


def test_sounds_and_fonts_come_back_packed(tmp_path: Path) -> None:  # IMAGE8
    data = tone(tmp_path / "a.wav")
    (found,) = Path(bpy.utils.system_resource("DATAFILES"), "fonts").glob("NotoSansMath*")
    bpy.data.sounds.load(str(tmp_path / "a.wav")).use_fake_user = True
    text = bpy.data.curves.new("Text", "FONT")
    text.body, text.font = "Hello", bpy.data.fonts.load(str(found))
    bpy.data.curves.new("Plain", "FONT").use_fake_user = True  # in the font that is part of Blender
    text.use_fake_user = True
    again()
    (noise,) = bpy.data.sounds
    assert (noise.name, bytes(noise.packed_file.data)) == ("a.wav", data)
    font = bpy.data.curves["Text"].font
    assert bytes(font.packed_file.data) == found.read_bytes()
    assert bpy.data.curves["Plain"].font.filepath == "<builtin>"
    for path in (noise.filepath, font.filepath):
        assert path.startswith("//")
        assert not Path(bpy.path.abspath(path)).exists()


def test_another_sound_takes_the_place_of_one(tmp_path: Path) -> None:  # IMAGE8
    tone(tmp_path / "a.wav")
    noise = bpy.data.sounds.load(str(tmp_path / "a.wav"))
    blobs = MemoryBlobs()
    mirror = Mirror(blobs)
    mirror.scan()
    for more in (2, 4):
        data = tone(tmp_path / "b.wav") + bytes(more)
        member, uuid = put(mirror, noise)
        edit(member, uuid, packed_file={"$": "blob", "sha": blobs.put(data), "size": len(data)})
        assert apply(mirror, member, uuid) == []
        assert bytes(noise.packed_file.data) == data
        assert everything(mirror) == []


def test_bytes_of_no_known_format_are_not_loaded() -> None:  # IMAGE8
    mirror = Mirror(MemoryBlobs())
    data = b"#!/bin/sh"
    node = {"$": "blob", "sha": mirror.ctx.blobs.put(data), "size": len(data)}
    with pytest.raises(RemoteProtocolError):
        sound(mirror.ctx, {"name": "Sound", "packed_file": node})
    with pytest.raises(RemoteProtocolError):
        sound(mirror.ctx, {"name": "Sound", "packed_file": {**node, "size": 3}})
    assert len(bpy.data.sounds) == 0
