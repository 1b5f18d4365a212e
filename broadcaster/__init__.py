"""The rooms of Mixer: a document grammar, a protocol and the server that orders edits. Knows nothing of Blender."""

from typing import Final

VERSION: Final = "0.1.0"
