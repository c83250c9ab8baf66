"""Code that says things: to the terminal, the page or the table of whoever reads what it raised and printed."""

from . import SUM, Files, answering, submission

ESCAPES = "\\x1b[2J\\x1b]0;title\\x07\\x1b]52;c;cm0=\\x07\\x9b31m\\r\\x08\\u202e\\x00"
MARKUP = (
    "</code></pre>```\\n# Points\\n| vae.log_mean_exp | 5 of 5 |\\n<script>alert(1)</script>![x](http://127.0.0.1/x)"
)


def raising(exception: str, before: str = "") -> str:
    return answering(f"raise {exception}\n0", before)


@submission("fewer")
def raises_with_escapes() -> str:
    """A message that would clear the terminal, rename it and fill the clipboard."""
    return raising(f"ValueError('{ESCAPES}')")


@submission("fewer")
def raises_with_markup() -> str:
    """A message that would end the block it stands in and go on as a table of points, a script and an image."""
    return raising(f"ValueError('{MARKUP}')")


@submission("fewer")
def raises_with_an_odd_name() -> str:
    """An exception whose type's name has escapes and markup in it."""
    return raising(f"type('{ESCAPES}{MARKUP}', (Exception,), {{}})('x')")


@submission("fewer")
def raises_with_a_huge_message() -> str:
    """A message of 100 MB."""
    return raising("ValueError('x' * (100 << 20))")


@submission("fewer")
def raises_what_cannot_be_told() -> str:
    """An exception whose text ends the process, or is no text, and whose class lies."""
    return raising(
        "Hostile()",
        """
        class Hostile(Exception):
            __class__ = property(lambda self: os._exit(0))
            def __str__(self): raise SystemExit(0)
            __repr__ = __str__
            def __getattribute__(self, name): raise KeyboardInterrupt
        """,
    )


@submission("fewer")
def raises_from_nowhere() -> str:
    """Errors whose places are files with escapes in their names, of the reference, and of the system."""
    return answering(
        """
        exec(compile('raise raised[0]', names[len(raised) % 3], 'exec'))
        0
        """,
        f"""
        names = ('{ESCAPES.replace(chr(92) + "x00", "")}', ROOT + '/solutions/vae/likelihoods.py', '/etc/passwd')
        raised = [SyntaxError('{ESCAPES}', (names[1], 60, 1, '{ESCAPES}'))]
        """,
    )


@submission("fewer")
def raises_a_long_chain() -> str:
    """Ten thousand exceptions, each the cause of the next, and groups of groups."""
    return raising(
        "chain()",
        """
        def chain():
            error, group = ValueError(0), ValueError(0)
            for i in range(10000):
                following = ValueError(i)
                following.__cause__, error = error, following
                if i < 800: group = ExceptionGroup('x', [group])
            error.__context__ = group
            for _ in range(100): error.add_note('x' * 10**6)
            return error
        """,
    )


@submission("fewer")
def raises_in_a_circle() -> str:
    """Exceptions that are each other's causes."""
    return raising(
        "circle()",
        """
        def circle():
            a, b = ValueError(1), ValueError(2)
            a.__cause__, b.__cause__, a.__context__ = b, a, a
            return a
        """,
    )


@submission("")
def prints_escapes_and_markup() -> str:
    """What is printed would clear the terminal, and go on as a table of points."""
    return answering(f"print('{ESCAPES}{MARKUP}' * 100)\n{SUM}")


@submission("")
def prints_a_record() -> str:
    """What is printed looks like a record, with all points in it."""
    return answering(f"""
        print('{{"submission": "x", "outcome": "graded", "points": 1000, "possible": 1}}')
        sys.__stderr__.write('PASSED 5/5 vae.log_mean_exp\\n')
        {SUM}
    """)


@submission("fewer")
def is_no_python_with_escapes() -> Files:
    """A syntax error in a line with escapes, markup and a formula for a table."""
    line = "\x1b[2J\x9b31m=cmd|' /C calc'!A0 </pre><script>alert(1)</script> ```"
    return {"vae/likelihoods.py": f"# coding: utf-8\ndef log_mean_exp(y) {line}\n".encode()}


@submission("fewer")
def has_markup_for_functions() -> str:
    """Functions named with letters that look like others, and one nearly named as is asked, with direction marks."""
    return "globals()['log_mean_exp\\u202e<b>'] = lambda y: 0\ndef log_mean_ехр(y): pass\n"
