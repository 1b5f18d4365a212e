"""Images, texts, sounds, fonts and palettes. A path that another member sent is never opened or written."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

IMAGES: Final = {
    "Image": Rule(
        derived=names("file_format"),  # of the bytes; reading it loads them
        view=names("filepath filepath_raw packed_file packed_files pixels tiles"),  # all in "image"
        per_user=names("render_slots use_view_as_render"),
        blind=names("alpha_mode colorspace_settings image source"),
        write_first=("source", "generated_width", "generated_height", "use_generated_float", "generated_type"),
        by={"image": "image", "generated_width": "image_size", "generated_height": "image_size"},
    ),
    "ImageUser": Rule(derived=names("frame_current")),
    "UDIMTile": Rule(
        write_first=("generated_width", "generated_height", "use_generated_float", "generated_type"),
        by={"generated_width": "image_size", "generated_height": "image_size"},
    ),
    "ColorManagedInputColorspaceSettings": Rule(
        view=names("is_data")  # the colour space named so
    ),
    "Stereo3dFormat": Rule(write_first=("display_mode",)),
    "Text": Rule(
        derived=names("current_character current_line current_line_index"),
        per_user=names("filepath select_end_character select_end_line select_end_line_index"),
        withheld=names("use_module"),  # registers: runs when the file is opened
        blind=names("lines"),
        by={"lines": "text"},
    ),
    "Sound": Rule(view=names("filepath"), by={"packed_file": "packed"}),
    "VectorFont": Rule(derived=names("name"), view=names("filepath"), by={"packed_file": "packed"}),
    "Palette": Rule(blind=names("colors"), items={"colors": Items(new="new", rows=True)}),
}
