"""Code that takes its time; every loop ends by itself where nobody ends it."""

from . import answering, submission

SPIN = "end = time.monotonic() + 20\n"


@submission("fewer")
def loops() -> str:
    """A loop in Python."""
    return answering(f"{SPIN}while time.monotonic() < end: pass\ny.sum(dim=1)")


@submission("fewer")
def loops_at_import() -> str:
    """A loop while the file is imported."""
    return f"{SPIN}while time.monotonic() < end: pass\n" + answering("y.sum(dim=1)")


@submission("fewer")
def loops_and_swallows_interrupts() -> str:
    """A loop that catches everything and ignores every signal that it may."""
    return answering(f"""
        for s in set(signal.Signals) - {{signal.SIGKILL, signal.SIGSTOP}}: signal.signal(s, signal.SIG_IGN)
        {SPIN.strip()}
        while time.monotonic() < end:
            try:
                while time.monotonic() < end: pass
            except BaseException: pass
        y.sum(dim=1)
    """)


@submission("fewer")
def loops_in_c() -> str:
    """A sum in C that no signal handler of Python interrupts."""
    return answering("sum(range(2 * 10**9)) and y.sum(dim=1)")


@submission("fewer")
def backtracks() -> str:
    """A regular expression that takes exponential time."""
    return answering("import re\nre.match('(a+)+$', 'a' * 29 + 'b') or y.sum(dim=1)")


@submission("fewer")
def computes_for_long_in_torch() -> str:
    """One operation of torch that takes minutes."""
    return answering("torch.linalg.eigvals(torch.rand(3000, 3000)).real[0] * y.sum(dim=1)")


@submission("fewer")
def sleeps() -> str:
    """A sleep."""
    return answering("time.sleep(20)\ny.sum(dim=1)")


@submission("fewer")
def waits_for_itself() -> str:
    """A lock that it holds itself."""
    return answering("lock = threading.Lock()\nlock.acquire()\nlock.acquire(timeout=20)\ny.sum(dim=1)")


@submission("fewer")
def loops_while_its_error_is_told() -> str:
    """An exception whose text never comes."""
    return answering(
        "raise Endless\n0",
        f"""
        class Endless(Exception):
            def __str__(self):
                {SPIN.strip()}
                while time.monotonic() < end: pass
                return ''
        """,
    )


@submission("fewer")
def loops_while_its_answer_is_sent() -> str:
    """A tensor whose attributes take for ever."""
    return answering(
        "y.sum(dim=1).as_subclass(Slow)",
        """
        class Slow(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, arguments=(), keywords=None):
                time.sleep(20)
                return super().__torch_function__(function, types, arguments, keywords)
        """,
    )


@submission("fewer")
def stops_itself() -> str:
    """A process that stops itself, so that it neither answers nor ends."""
    return answering("os.kill(os.getpid(), signal.SIGSTOP) or y.sum(dim=1)")
