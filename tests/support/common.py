"""Properties that every function of one value for each instance obeys, made for a part from its inputs."""

from collections.abc import Sequence
from typing import Any

import torch
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from .closeness import WrongAnswer, assert_close, assert_same_dtype, assert_tensor, explain_shape
from .properties import Function, Part, Topic


def per_instance_properties(
    part: Part,
    inputs: SearchStrategy[tuple[Tensor, ...]],
    images: SearchStrategy[tuple[Tensor, ...]] | None = None,
    extra: tuple[Any, ...] = (),
) -> None:
    """Give a part the properties of shape, dtype and untouched arguments, and of images where it takes them.

    inputs: the tensor arguments, (batch, d); extra: what follows them in a call.
    """
    name = part.name.split(".")[1]

    def function(topic: Topic) -> Function:
        return getattr(topic, name)

    @part.property("shape", arguments=inputs)
    def one_value_for_each_instance(topic: Topic, arguments: tuple[Tensor, ...]) -> None:
        """The result has the shape (batch,), also for one instance and for one feature."""
        # Two instances first: what a wrong shape comes from shows less well in a batch of one.
        twice = tuple(torch.cat([t, t]) for t in arguments)
        for rows in (twice, tuple(t[:1] for t in arguments), tuple(t[:, :1] for t in arguments)):
            assert_shape(function(topic).raw(*rows, *extra), len(rows[0]))

    @part.property("shape", most=10, arguments=inputs)
    def keeps_the_dtype(topic: Topic, arguments: tuple[Tensor, ...]) -> None:
        """Double precision in gives double precision out, and single precision gives single."""
        for dtype in (torch.float64, torch.float32):
            assert_same_dtype(function(topic).raw(*(t.to(dtype) for t in arguments), *extra), dtype)

    @part.property("value", most=10, arguments=inputs)
    def leaves_its_arguments_alone(topic: Topic, arguments: tuple[Tensor, ...]) -> None:
        """The arguments hold the same numbers after the call as before."""
        assert_all_unchanged(part.arguments, function(topic).observe(*arguments, *extra).arguments, arguments)

    if images is not None:

        @part.property("shape", most=10, arguments=images)
        def takes_images(topic: Topic, arguments: tuple[Tensor, ...]) -> None:
            """Images, (batch, channels, height, width), have the value of their pixels in one row."""
            flat = function(topic)(*(t.flatten(1) for t in arguments), *extra)
            assert_close(function(topic)(*arguments, *extra), flat)


def assert_unchanged(name: str, now: Tensor, before: Tensor) -> None:
    """Accept an argument that is as it was before the call.

    Raises:
        WrongAnswer: a number in it was changed.
    """
    if not torch.equal(now, before):
        raise WrongAnswer(f"{name} was changed in place", now, before)


def assert_all_unchanged(names: Sequence[str], now: Sequence[Any], before: Sequence[Any]) -> None:
    """Accept arguments that are as they were before the call, tensors and sequences of tensors alike.

    Raises:
        WrongAnswer: a number in one was changed, or an item of a sequence was added or taken away.
    """
    for name, after, was in zip(names, now, before, strict=False):
        if isinstance(was, Tensor):
            assert_unchanged(name, after, was)
        elif isinstance(was, (tuple, list)):
            if len(after) != len(was):
                raise WrongAnswer(f"{name} had {len(was)} items before the call and has {len(after)} after it")
            assert_all_unchanged([f"{name}[{i}]" for i in range(len(was))], after, was)


def assert_shape(value: Any, batch: int) -> None:
    """Accept a tensor of the shape (batch,) only.

    Raises:
        WrongAnswer: any other shape, with what usually causes it.
    """
    tensor = assert_tensor(value, f"({batch},)")
    if tensor.shape != (batch,):
        raise WrongAnswer(explain_shape(tensor.shape, (batch,)), tensor)
