"""Answers that are not what they seem: tensors that agree with everything, and what only claims to be a tensor."""

from . import answering, submission

YES = """
class Any:
    __eq__ = lambda *a: True
    __ne__ = lambda *a: False
    __bool__ = lambda *a: True
    def __getattr__(self, name): return lambda *a, **k: self
    def __le__(self, other): return self
    __or__ = __ror__ = __ge__ = __lt__ = __gt__ = __le__
"""


@submission("more")
def overrides_torch_functions() -> str:
    """A tensor whose __torch_function__ agrees in every comparison."""
    return answering(
        "y.sum(dim=1).as_subclass(Agreeing)",
        """
        agreeing = {torch.Tensor.__le__, torch.Tensor.__ge__, torch.Tensor.le, torch.Tensor.ge, torch.Tensor.__eq__}
        class Agreeing(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, arguments=(), keywords=None):
                with torch._C.DisableTorchFunctionSubclass():
                    result = function(*arguments, **(keywords or {}))
                    if function.__name__ in ('__le__', '__ge__', 'le', 'ge', '__eq__', 'eq'):
                        return torch.ones_like(result)
                return result.as_subclass(cls) if isinstance(result, torch.Tensor) else result
        """,
    )


@submission("more")
def overrides_comparisons() -> str:
    """A tensor whose abs, difference and comparisons are true."""
    return answering(
        "y.sum(dim=1).as_subclass(Agreeing)",
        YES
        + """
class Agreeing(torch.Tensor):
    reshape = view = lambda self, *a: self
    __sub__ = __rsub__ = lambda self, other: Any()
    __le__ = __ge__ = __eq__ = lambda self, other: torch.ones(self.numel(), dtype=torch.bool)
    __hash__ = torch.Tensor.__hash__
    abs = lambda self: Any()
""",
    )


@submission("fewer")
def claims_to_be_a_tensor() -> str:
    """An object whose __class__ is torch.Tensor."""
    return answering(
        "Claims()",
        """
        class Claims:
            __class__ = property(lambda self: torch.Tensor)
            def __getattr__(self, name): raise KeyboardInterrupt if name == 'is_nested' else AttributeError
        """,
    )


@submission("fewer")
def lies_about_its_size() -> str:
    """A tensor with another number of entries each time one asks, and another dtype."""
    return answering(
        "y.sum(dim=1).as_subclass(Lies)",
        """
        import itertools
        sizes = itertools.count(-5)
        class Lies(torch.Tensor):
            numel = lambda self: next(sizes)
            itemsize = property(lambda self: -8)
            shape = property(lambda self: torch.Size([next(sizes) + 10, 3]))
            dtype = property(lambda self: torch.bool)
        """,
    )


@submission("fewer")
def sends_other_bytes() -> str:
    """A tensor whose numpy array is something else with a method tobytes."""
    return answering(
        "y.sum(dim=1).as_subclass(Other)",
        """
        class Bytes:
            def tobytes(self): return b'x' * 1000003
        class Other(torch.Tensor):
            def numpy(self, **k): return Bytes()
            def abs(self): return torch.ones(7)
            def reshape(self, *a): return torch.ones(7)
            shape = property(lambda self: (7, 7))
        """,
    )


@submission("fewer")
def answers_with_odd_tensors() -> str:
    """Sparse, quantised, nested, meta and complex tensors in turn, and one number that is 10^14 entries."""
    return answering(
        """
        n = len(asked)
        asked.append(n)
        ODD[n % len(ODD)]()
        """,
        """
        asked = []
        ODD = [
            lambda: torch.ones(3).to_sparse(), lambda: torch.ones(2, device='meta'),
            lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
            lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
            lambda: torch.ones(2, dtype=torch.complex64), lambda: torch.zeros(1).expand(10**14),
            lambda: torch.zeros(0, 2**40, 0), lambda: torch.ones([1] * 60), lambda: torch.tensor(float('nan')),
        ]
        """,
    )
