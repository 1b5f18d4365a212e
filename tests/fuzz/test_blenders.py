"""Three Blenders in one room, each with random edits, lost lines, undo and redo: in the end all hold the same.

5 stories of 60 edits, in about 2 minutes; MIXER_STORY_EDITS=600 makes them longer. `make fuzz SEEDS=50` tells stories
of 2,000, others each time. How their edits mix depends on the moment, so a story is not the same twice.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .blenders import last_edits, tell

SEEDS = (2, 4, 8, 16, 17)
EDITS = int(os.environ.get("MIXER_STORY_EDITS", "60"))  # of all three together


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_all_blenders_hold_the_same(seed: int, tmp_path: Path) -> None:  # FUZZ5
    faults = tell(tmp_path, seed, EDITS)
    assert not faults, f"seed {seed}:\n" + "\n".join(faults[:30]) + f"\nlast edits:\n{last_edits(tmp_path)}"
