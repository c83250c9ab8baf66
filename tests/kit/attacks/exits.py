"""Code that ends its process, softly or hard, at import or in a call."""

from . import answering, submission


@submission("fewer")
def leaves_at_import() -> str:
    """sys.exit while the file is imported, with the status of success."""
    return "sys.exit(0)\n"


@submission("fewer")
def ends_the_process_at_import() -> str:
    """os._exit(0) while the file is imported."""
    return "os._exit(0)\n"


@submission("fewer")
def ends_the_process_in_a_call() -> str:
    """os._exit(0) in a call."""
    return answering("os._exit(0)")


@submission("fewer")
def leaves_in_a_call() -> str:
    """sys.exit(0) in a call."""
    return answering("sys.exit(0)")


@submission("fewer")
def aborts() -> str:
    """os.abort, which dumps a core where it may."""
    return answering("os.abort()")


@submission("fewer")
def reads_address_zero() -> str:
    """A segmentation fault."""
    return answering("ctypes.string_at(0)")


@submission("fewer")
def interrupts() -> str:
    """KeyboardInterrupt, as if the instructor had pressed Ctrl-C."""
    return answering("raise KeyboardInterrupt\n0")


@submission("fewer")
def raises_what_is_no_exception() -> str:
    """An exception of its own that claims to be a success, not derived from Exception."""
    return answering("raise Passed('all properties hold')\n0", "class Passed(GeneratorExit): pass")


@submission("fewer")
def recurses_past_every_limit() -> str:
    """Recursion in C without a limit, until the stack is full."""
    before = "sys.setrecursionlimit(10**9)\nclass Deep:\n    def __repr__(self): return repr([self])"
    return answering("len(repr(Deep()))", before)


@submission("fewer")
def skips_as_a_test() -> str:
    """The exceptions with which pytest skips a test or ends a session."""
    return answering("import pytest\npytest.exit('done', 0)")


@submission("fewer")
def says_that_it_is_still_to_be_written() -> str:
    """A stub's exception after right answers, so that the properties to come are not asked."""
    return answering(
        "asked.append(1)\nif len(asked) > 40: raise NotImplementedError('vae.log_mean_exp')\ny.sum(dim=1)", "asked = []"
    )


@submission("fewer")
def ends_while_it_is_forgotten() -> str:
    """os._exit in __del__, when its answer is thrown away, and at the interpreter's exit."""
    return answering(
        """
        answer = y.sum(dim=1)
        answer.hold = Last()
        answer
        """,
        """
        import atexit
        class Last:
            def __del__(self): os._exit(0)
        atexit.register(os._exit, 0)
        """,
    )
