"""Packing a hand-in: its stub files, runs and report in one archive, looked at as the grader will see it.

It keeps the places that the files have beside one another, so that the report's links to pictures hold in it:

exercises/vae/bounds.py   the stub files, whatever the implementation's own name
exercises/report.md       the written answers, and the pictures that they show by relative path
runs/vae-1/config.json    finished runs, those of their files that the grader reads
manifest.json             who packed it, with what, and the digest of every other file
"""


class PackError(Exception):
    """A hand-in that cannot be packed; the text says what was found, what was expected and what to do."""
