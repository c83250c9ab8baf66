"""Works through a class of eight, from what is given out to feedback, and tells where its page is.

python -m tests.worked --out class           # some minutes; needs pip install -e '.[nbgrader,similar]'
"""

import argparse
import sys
from pathlib import Path

from tests.worked.kits import CommandFailed
from tests.worked.worked import work_through


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("class"), help="A directory that is not there yet.")
    out = parser.parse_args().out.resolve()
    if out.exists():
        sys.exit(
            f"--out {out}: it is there already, perhaps the class of another time, and nothing is written over. "
            f"Look at {out / 'graded' / 'index.html'}; or remove it (rm -r {out}); or work in another directory "
            "(python -m tests.worked --out another-class)."
        )
    out.mkdir(parents=True)
    try:
        places = work_through(out, lambda step: print(step, flush=True))
    except CommandFailed as error:
        sys.exit(str(error))
    table = (places.graded / "class.csv").read_text(encoding="utf-8-sig").splitlines()
    print(*(",".join(row.split(",")[:5]) for row in table), sep="\n")
    print(f"the class page is {places.graded / 'index.html'}; nbgrader's gradebook is in {places.course}")


if __name__ == "__main__":
    main()
