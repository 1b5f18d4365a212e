"""Three Blenders in one room, each with random edits, lost lines, undo and redo: in the end all hold the same.

5 stories of 2,000 edits, in about 5 minutes; MIXER_STORY_EDITS=60 makes them shorter. `make fuzz SEEDS=50` tells others
each time. How their edits mix depends on the moment, so a story is not the same twice, and one of about twenty still
shows something new: one that ends ill is told once more, with a warning of what it ended with, and fails if it ends ill
again.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from .blenders import EDITS, last_edits, tell

SEEDS = (2, 4, 8, 16, 17)
TOLD = int(os.environ.get("MIXER_STORY_EDITS", EDITS))  # of all three together
TIMES = 2


@pytest.mark.filterwarnings("default::UserWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_all_blenders_hold_the_same(seed: int, tmp_path: Path) -> None:  # FUZZ5
    for time in range(TIMES):
        folder = tmp_path / str(time)
        folder.mkdir()
        if not (faults := tell(folder, seed, TOLD)):
            return
        ended = f"seed {seed}:\n" + "\n".join(faults[:30]) + f"\nlast edits:\n{last_edits(folder)}"
        warnings.warn(ended, stacklevel=1)
    pytest.fail(ended)
