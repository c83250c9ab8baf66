"""Errors that mean that memory was short, which torch tells in several ways."""

import torch


def is_short_of_memory(error: BaseException) -> bool:
    """Tell whether an error is of memory, of a GPU's or of the machine's: no function is to blame for it."""
    allocating = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return allocating or isinstance(error, (MemoryError, torch.OutOfMemoryError))
