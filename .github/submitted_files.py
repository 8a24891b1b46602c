"""Which files a submission touches: results of one model and the registry, nothing else.

Called with two files of null-separated paths: all that a pull request changes, and what it adds.
Prints the results to be validated, null-separated.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RESULTS = re.compile(r"reports/leaderboard/results/[A-Za-z0-9_][A-Za-z0-9_.-]*\.json")
REGISTRY = "src/symscape/models/registry.toml"


def submitted(changed: list[str], added: list[str]) -> list[str]:
    """Return the results files of a submission.

    Raises
    ------
    SystemExit
        If it touches anything else, other models' results among it.
    """
    results = [path for path in changed if RESULTS.fullmatch(path)]
    others = [path for path in changed if path not in results and path != REGISTRY]
    replaced = [path for path in results if path not in added]
    for path in (*others, *replaced):
        why = "is no part of a submission" if path in others else "is on the leaderboard already"
        # quoted, so that no name is a command to the log
        print(f"{path!r} {why}; a keeper has to look at it.", file=sys.stderr)
    if others or replaced:
        raise SystemExit(1)
    return results


def main() -> None:
    """Read the lists and print the results."""
    changed, added = (
        [path for path in Path(name).read_text(encoding="utf-8").split("\0") if path]
        for name in sys.argv[1:]
    )
    print("".join(f"submitted/{path}\0" for path in submitted(changed, added)), end="")


if __name__ == "__main__":
    main()
