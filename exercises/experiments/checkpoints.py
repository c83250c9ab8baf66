"""One safetensors file with model and optimizers, written whole or not at all, and read without trust."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor, nn

from .runs import RunError, write_whole

# The file starts with its own table of names, types, shapes and offsets; the library checks that the table fits the
# file before any tensor is made, so what follows can ask about shapes for nothing.


class CheckpointError(RunError):
    """A checkpoint cannot be used; the message names the file and the reason."""


def save(path: Path, model: nn.Module, *optimizers: torch.optim.Optimizer, epoch: int) -> None:
    """Write the model ('model.NAME'), its optimizers' state ('optimizer.KEY.NAME') and the number of finished epochs.

    Args:
        path: the file; it is replaced in one step, so an interruption leaves the one before.
        model: whose parameters and buffers are written.
        optimizers: of parameters of the model, each of at most one, with tensors as its state, such as Adam. None are
            needed where nothing is to go on.
        epoch: finished epochs.
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for optimizer in optimizers:
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, as_bytes(on_cpu, metadata={"epoch": str(epoch)}))


def restore(path: Path, model: nn.Module, *optimizers: torch.optim.Optimizer) -> int:
    """Fill a model and optimizers of the kind that was saved.

    Returns:
        The number of finished epochs.

    Raises:
        CheckpointError: the file is not such a checkpoint.
    """
    model.load_state_dict(read_model(path, model.state_dict()))
    parameters = dict(model.named_parameters())
    owners = {p: optimizer for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
    with _open(path) as file:
        for key in file.keys():  # noqa: SIM118  (a safetensors file is no mapping)
            kind, _, rest = key.partition(".")
            if kind == "optimizer":
                state, _, name = rest.partition(".")
                parameter = parameters.get(name)
                # A fused optimizer reads as many numbers as the parameter has, whatever the state's shape.
                shape = [] if parameter is None or state == "step" else list(parameter.shape)
                if parameter is None or parameter not in owners or list(file.get_slice(key).get_shape()) != shape:
                    raise CheckpointError(f"{path} holds {key}, which fits no parameter; it is of another network")
                value = file.get_tensor(key)
                if not value.isfinite().all():
                    raise CheckpointError(f"{path} holds nan or infinity in {key}; the training had broken down")
                owners[parameter].state[parameter][state] = _placed(value, state, parameter, owners[parameter])
        epoch = (file.metadata() or {}).get("epoch", "")
    if not epoch.isdecimal():
        raise CheckpointError(f"{path} names {epoch!r} as its epoch, expected a number; train again")
    return int(epoch)


def _placed(value: Tensor, state: str, parameter: Tensor, optimizer: torch.optim.Optimizer) -> Tensor:
    """Put an optimizer's state where it was: beside the parameter, in its order of memory; a count may stay here."""
    if state != "step":
        return torch.empty_like(parameter).copy_(value)
    return value.to(parameter.device) if optimizer.param_groups[0].get("fused") else value


def read_model(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a model from a file that anybody may have written.

    Names, types and shapes are compared before memory is taken, and nothing in the file is executed.

    Args:
        path: the file.
        expected: the model's state dictionary, of which only names, types and shapes matter.

    Returns:
        A dictionary for load_state_dict, on the CPU, every number finite.

    Raises:
        CheckpointError: the file is missing, cut off, no safetensors file, of another network, or not finite.
    """
    with _open(path) as file:
        present = set(file.keys())
        tensors = {}
        for name, wanted in expected.items():
            key = f"model.{name}"
            if key not in present:
                raise CheckpointError(f"{path} has no tensor {key!r}; it is a checkpoint of another network")
            part = file.get_slice(key)
            found = (part.get_dtype(), tuple(part.get_shape()))
            # safetensors names the types 'F32' and 'I64' where torch has torch.float32 and torch.int64
            kind = "F" if wanted.is_floating_point() else "I"
            if found != (f"{kind}{wanted.element_size() * 8}", tuple(wanted.shape)):
                raise CheckpointError(
                    f"{path} holds {key} as {found[0]} of shape {found[1]}, "
                    f"expected {wanted.dtype} of shape {tuple(wanted.shape)}; it is a checkpoint of another network"
                )
            tensors[name] = file.get_tensor(key)
            if not tensors[name].isfinite().all():
                raise CheckpointError(f"{path} holds nan or infinity in {key}; the training had broken down")
    return tensors


def _open(path: Path) -> safe_open:
    try:
        with path.open("rb") as file:
            first = file.read(2)
        if first in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise CheckpointError(
                f"{path} is a pickle (torch.save), and unpickling runs code, so it is not opened. "
                "Hand in the checkpoint.safetensors that training writes."
            )
        return safe_open(path, framework="pt")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is cut off or no safetensors file ({error}); train again, or copy it again"
        ) from error
