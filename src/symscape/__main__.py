"""``python -m symscape`` is ``symscape``."""

from symscape.cli import main

if __name__ == "__main__":
    main()
