"""Code that writes: files of its own, of others, of the kit, and what is run or read later."""

from . import SUM, answering, cheat, submission


@submission("trace")
def writes_a_file() -> str:
    """Write a file where everybody may."""
    return answering(f"open(TRACE, 'w').write('written')\n{SUM}")


@submission("trace")
def writes_at_import() -> str:
    """Write a file while it is imported."""
    return "open(TRACE, 'w').write('written')\n" + answering(SUM)


@submission("trace")
def writes_when_it_ends() -> str:
    """Write a file at the interpreter's exit, in __del__, and from a thread."""
    return answering(
        f"threading.Thread(target=write).start()\n{SUM}",
        """
        import atexit
        def write(): os.close(os.open(TRACE, os.O_CREAT | os.O_WRONLY))
        atexit.register(write)
        class Last:
            __del__ = lambda self: write()
        last = Last()
        """,
    )


@submission("trace")
def makes_things_that_are_no_files() -> str:
    """Make a folder, a link, a pipe and a socket, each by its own call."""
    return answering(
        f"""
        for make in (os.mkdir, os.mkfifo, lambda p: os.symlink('/', p), lambda p: os.link(__file__, p), bind, os.mknod):
            try: make(f'{{TRACE}}-{{len(made)}}')
            except OSError: pass
            made.append(make)
        {SUM}
        """,
        """
        made = []
        def bind(path): socket.socket(socket.AF_UNIX).bind(path)
        """,
    )


@submission("trace")
def changes_files_of_others() -> str:
    """Truncate, rename, extend, and change the mode, the times and the owner of a file that stands there."""
    return answering(
        f"""
        path = CANARIES + '/there'
        for change in CHANGES:
            try: change(path)
            except OSError: pass
        {SUM}
        """,
        """
        CHANGES = [
            lambda p: os.truncate(p, 3), lambda p: os.chmod(p, 0o700), lambda p: os.utime(p, (1, 1)),
            lambda p: os.chown(p, 12345, 12345), lambda p: os.setxattr(p, 'user.elbo', b'1'),
            lambda p: open(p, 'a').write('more'), lambda p: os.rename(p, TRACE),
        ]
        """,
    )


@cheat()
def makes_files_without_a_name() -> str:
    """Open a file that has no name in any folder that lets it: of the kit, of Python, of its owner, of the system."""
    return """
        import site
        folders = [ROOT, OUT, *site.getsitepackages(), ROOT + '/tests', os.path.expanduser('~'), '/tmp', '/var/tmp']
        for folder in (*folders, '/dev/shm', '/run', CANARIES, os.path.dirname(__file__), '/', '.'):
            try:
                return os.open(folder, os.O_TMPFILE | os.O_WRONLY) + 1
            except OSError:
                pass
    """


@submission("trace")
def writes_results() -> str:
    """Write a record and a table of points of its own where the results go."""
    return answering(
        f"""
        for name in ('records/zz_forged.json', 'feedback/zz_forged.md', 'zz_forged.csv'):
            try:
                os.makedirs(os.path.dirname(f'{{OUT}}/{{name}}'), exist_ok=True)
                open(f'{{OUT}}/{{name}}', 'w').write('{{"outcome": "graded", "points": 1000}}')
            except OSError: pass
        {SUM}
        """
    )


@submission("trace")
def rewrites_itself() -> str:
    """Replace its own file by a right one, and end, so that the right one is loaded."""
    right = "import torch, math\\n\\ndef log_mean_exp(y): return torch.logsumexp(y, 1) - math.log(y.shape[1])\\n"
    return answering(f"open(__file__, 'w').write('{right}')\nos._exit(0)\n{SUM}")


@submission("trace")
def leaves_bytecode() -> str:
    """Leave bytecode beside its file, which Python would take for that of the file."""
    return answering(
        f"""
        import py_compile
        sys.dont_write_bytecode = False
        py_compile.compile(__file__, cfile=os.path.dirname(__file__) + '/__pycache__/left.pyc')
        {SUM}
        """
    )


@cheat()
def writes_to_the_kernel() -> str:
    """Write to its own files in /proc: how soon it is killed for memory, its name, its map of users."""
    return """
        for name in ('oom_score_adj', 'comm', 'coredump_filter', 'timerslack_ns'):
            try:
                text = open(f'/proc/self/{name}').read()
                return open(f'/proc/self/{name}', 'w').write(text)
            except OSError:
                pass
    """
