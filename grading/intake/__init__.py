"""The intake of hand-ins: whatever somebody hands in goes in, stub files and runs that can be graded come out."""

from .finding import find
from .fingerprints import fingerprint
from .limits import IntakeError
from .naming import Source
from .taking import Taken, read_report, take

__all__ = ["IntakeError", "Source", "Taken", "find", "fingerprint", "read_report", "take"]
