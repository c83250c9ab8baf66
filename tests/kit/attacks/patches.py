"""Code that replaces what it is judged by, in torch, in Python or in the kit, wherever it finds it in its process."""

from . import answering, submission


def patching(lines: str) -> str:
    return answering("y.sum(dim=1)", lines)


@submission("more")
def makes_every_comparison_true() -> str:
    """torch.allclose, torch.equal, torch.testing and the comparisons of tensors always agree."""
    return patching("""
        yes = lambda *a, **k: torch.tensor(True)
        torch.allclose = torch.equal = torch.isclose = yes
        torch.testing.assert_close = lambda *a, **k: None
        for name in ('__eq__', '__le__', '__ge__', '__lt__', '__gt__', 'all', 'equal', 'allclose'):
            setattr(torch.Tensor, name, yes)
    """)


@submission("more")
def makes_every_number_true() -> str:
    """builtins.bool is always true, and builtins.isinstance always agrees."""
    return patching("import builtins\nbuiltins.bool = lambda *a: True")


@submission("more")
def replaces_closeness() -> str:
    """The comparisons of the kit accept everything, in every module that has imported them."""
    return patching("""
        for module in list(sys.modules.values()):
            for name in [n for n in vars(module) if n.startswith('assert_')]:
                setattr(module, name, lambda *a, **k: None)
    """)


@submission("more")
def replaces_the_judge() -> str:
    """Judge.judge calls every property right."""
    return patching("""
        Judge = sys.modules['grading.judge'].Judge
        was = Judge.judge
        def judge(self, *a, **k):
            import msgspec
            return msgspec.structs.replace(was(self, *a, **k), outcome='right', failure=None)
        Judge.judge = judge
    """)


@submission("more")
def draws_nothing() -> str:
    """hypothesis draws no input, so that nothing is tried beside the edges."""
    return patching("sys.modules['hypothesis'].given = lambda **k: lambda test: lambda: None")


@submission("more")
def wraps_the_answering_function() -> str:
    """Whoever asks gets the answer of torch.logsumexp from `answer`, found with the garbage collector."""
    return patching("""
        import math as m
        def right(function, call, *a, **k):
            from grading.engine.calls import Answer
            y = call.arguments[0]
            return Answer(torch.logsumexp(y, 1) - m.log(y.shape[1]), False, (y.softmax(1),), (y,), ((),), (False,))
        judge = 'grading.judge' in sys.modules  # where there is none, right answers are only right answers
        for module in list(sys.modules.values()):
            if judge and getattr(module, 'answer', None) is not None and module.__name__.startswith('grading'):
                module.answer = right
    """)


@submission("more")
def answers_with_what_equals_everything() -> str:
    """torch.autograd.grad returns a tensor that every comparison accepts."""
    return patching("""
        class Any:
            __eq__ = lambda *a: True
            __ne__ = lambda *a: False
        class Equal(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, *a):
                return torch.tensor(True if function.__name__ in ('__eq__', 'eq') else 0.0)
            shape = property(lambda self: Any())
            dtype = property(lambda self: torch.float64)
        torch.autograd.grad = lambda *a, **k: (torch.ones(1).as_subclass(Equal),)
    """)


@submission("fewer")
def breaks_msgspec() -> str:
    """msgspec's encoders raise, and so does whatever encodes with them."""
    return answering(
        "y.sum(dim=1)",
        """
        def no(*a, **k): raise RuntimeError('no')
        import msgspec
        for name in ('encode', 'decode', 'Encoder', 'Decoder'): setattr(msgspec.msgpack, name, no)
        msgspec.structs.replace = no
        wire = sys.modules['grading.engine.wire']
        for name in ('encode_replies', 'decode_calls', 'lengths', '_encoder', '_calls'): setattr(wire, name, no)
        for module in (sys.modules.get('grading.engine.worker'), sys.modules['__main__']):
            for name in ('answer', 'fault_of', 'reply'):
                if hasattr(module, name): setattr(module, name, no)
        """,
    )


@submission("fewer")
def replaces_numpy() -> str:
    """Tensor.numpy returns bytes of another number than there are."""
    return patching("""
        import numpy
        torch.Tensor.numpy = lambda self, **k: numpy.zeros(1000001)
        torch.Tensor.sum = lambda self, *a, **k: torch.zeros(3)
    """)


@submission("fewer")
def replaces_the_dice() -> str:
    """torch's generators and the functions that seed them do nothing, and isinstance never agrees."""
    return patching("""
        import builtins
        class Dead:
            def manual_seed(self, seed): raise RuntimeError('no dice')
        torch.default_generator = torch.random.default_generator = Dead()
        torch.manual_seed = torch.random.manual_seed = lambda seed: None
        builtins.isinstance = lambda *a: False
    """)


@submission("fewer")
def forgets_every_module() -> str:
    """Nothing can be imported any more, and what was is gone."""
    return patching("""
        import builtins
        def no(*a, **k): raise ImportError('no')
        builtins.__import__ = no
        sys.meta_path[:] = []
        for name in [n for n in sys.modules if n.startswith(('grading', 'tests', 'torch', 'msgspec', 'traceback'))]:
            sys.modules.pop(name)
        torch.Tensor.__class_getitem__ = no
        torch.default_generator = None
    """)
