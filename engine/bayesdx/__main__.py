"""`python -m bayesdx` is the command `bayesdx`."""

import sys

from bayesdx.cli import main

if __name__ == "__main__":
    sys.exit(main())
