"""Code that changes how its process works, so that what is around it fails or forgets."""

from . import SUM, answering, cheat, submission


@submission("fewer")
def leaves_no_room_to_recurse() -> str:
    """A recursion limit so low that whoever called it fails."""
    return answering(f"sys.setrecursionlimit(len(frames()) + 4)\n{SUM}", "import inspect\nframes = inspect.stack")


@submission("fewer")
def traces_everything() -> str:
    """A trace and a profile function that raise in whatever runs next."""
    return answering(
        SUM,
        """
        def trace(frame, event, argument):
            if 'log_mean_exp' not in frame.f_code.co_name: raise RuntimeError('traced')
            return trace
        sys.setprofile(trace)
        threading.settrace(trace)
        sys.settrace(trace)
        """,
    )


@submission("fewer")
def is_woken_by_a_timer() -> str:
    """A timer whose signal raises in whatever runs then, again and again."""
    return answering(
        SUM,
        """
        def ring(*_): raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        """,
    )


@submission("fewer")
def switches_gradients_off() -> str:
    """No gradients, another dtype, another device, and hooks of saved tensors for all that follows."""
    return answering(
        SUM,
        """
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float16)
        torch.set_default_device('meta')
        torch.autograd.graph.saved_tensors_hooks(lambda t: 1, lambda t: 2).__enter__()
        """,
    )


@submission("")
def disturbs_the_collector() -> str:
    """No garbage collection, callbacks in it that raise, and finalizers that bring the dead back."""
    return answering(
        f"Undead()\n{SUM}",
        """
        gc.callbacks.append(lambda *a: 1 / 0)
        gc.disable()
        sys.setswitchinterval(1000)
        class Undead:
            def __del__(self): kept.append(self)
        kept = []
        """,
    )


@cheat()
def raises_its_limits() -> str:
    """Raise the limits of the size of files, of memory and of descriptors."""
    return """
        import resource
        for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_CPU):
            resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return True
    """


@cheat()
def becomes_root() -> str:
    """Be root, or become root again."""
    return """
        for become in (lambda: os.setresuid(0, 0, 0), lambda: os.seteuid(0), lambda: os.setgid(0)):
            try: become()
            except OSError: pass
        return 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups())
    """


@submission("fewer")
def goes_elsewhere() -> str:
    """Another folder, no environment, no module path, closed files, and names that mean something else."""
    return answering(
        SUM,
        """
        import builtins
        os.chdir('/')
        os.environ.clear()
        sys.path[:] = []
        sys.stdout.close()
        os.close(2)
        os.umask(0o777)
        for name in ('len', 'map', 'type', 'list', 'zip', 'getattr'): setattr(builtins, name, None)
        """,
    )


@submission("fewer")
def frees_what_others_hold() -> str:
    """Memory of Python's own objects overwritten: None, the small numbers, the empty tuple."""
    return answering("for each in (None, 1, (), int, list): ctypes.memset(id(each), 0xff, 24)\n0")


@submission("fewer")
def deletes_what_was_called() -> str:
    """The arguments of every frame above its own are emptied, and the messages' bytes overwritten."""
    return answering(f"""
        for found in gc.get_objects():
            if isinstance(found, (list, dict)) and found is not globals() and len(found) < 50: found.clear()
        for found in gc.get_referrers(*map(type, (y,))):
            if isinstance(found, bytearray): found[:] = bytes(len(found))
        {SUM}
    """)
