"""The one door to torchvision: opened when it is needed, and through which it always comes in whole."""

import importlib
from types import ModuleType

import torch
from torch.library import Library

_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

# Kept for the life of the process: a Library that is collected takes its schemas with it.
_library = Library("torchvision", "FRAGMENT")


def torchvision() -> ModuleType:
    """Import torchvision, also where its compiled operators do not fit the installed torch.

    A torchvision built for CUDA beside a torch built for the CPU cannot load its operators, and then fails at import
    with `operator torchvision::nms does not exist`, though data sets and transforms need none of them.

    Returns:
        The module torchvision. Operators that could not be loaded stay missing: calling one says so.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    # Declared only now: beside operators that do load, a second declaration would be the error.
    _declare_missing_operators()
    return importlib.import_module("torchvision")


def _declare_missing_operators() -> None:
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            _library.define(name + _SCHEMA)
