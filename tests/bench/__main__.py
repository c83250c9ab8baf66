"""All comparisons, one after the other: `make bench`."""

import subprocess
import sys

for bench in ("check", "vae", "dirac", "flows", "cifar10", "grading", "autograders"):
    print(f"== {bench}", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{bench}"], check=True)
