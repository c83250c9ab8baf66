"""What is given out: the stubs from the solutions, what a class gets, and what grades on other platforms."""

from .stubs import BEGIN, END, ReleaseError, differences, is_stub, stub, stubs, write_exercises

__all__ = ["BEGIN", "END", "ReleaseError", "differences", "is_stub", "stub", "stubs", "write_exercises"]
