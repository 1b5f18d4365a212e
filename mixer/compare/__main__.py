"""`python -m mixer.compare A.blend B.blend`."""

import sys

from . import main

sys.exit(main())
