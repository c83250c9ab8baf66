"""`python -m grading.cli` is `elbo`."""

from . import main

main()
