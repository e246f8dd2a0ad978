import sys

from resviz.cli import main

sys.exit(main())
