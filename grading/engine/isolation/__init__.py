"""What keeps a student's code from harm: layers of the operating system, each used where this machine has it."""

from .enclosure import Enclosure, Limits, bound_memory, serve
from .layers import LAYERS, Layer

__all__ = ["LAYERS", "Enclosure", "Layer", "Limits", "bound_memory", "serve"]
