"""The library of CEL without its command line, whose terminal toolkit costs each process 7 MB and 0.1 s."""

import sys
from types import ModuleType

# The package imports its command line before anything else: it finds this instead.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel as cel  # noqa: E402
