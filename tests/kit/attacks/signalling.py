"""Code that reaches for other processes; only ever with the signal that asks who is there, or at the test's victim."""

from . import SUM, answering, cheat, submission
from .evasion import SYSTEM_CALLS


@cheat()
def signals_the_victim() -> str:
    """Send a signal to a process that is none of its business."""
    return "os.kill(VICTIM, signal.SIGUSR1)\nreturn True"


@cheat()
def signals_its_parent() -> str:
    """Ask whether it may send signals to the process that it was forked from."""
    return """
        for process in {os.getppid(), 1} - {0}:
            try:
                os.kill(process, 0)
                return True
            except OSError: pass
    """


@cheat()
def signals_its_siblings() -> str:
    """Ask whether it may send signals to processes with numbers near its own."""
    return """
        for process in range(max(2, os.getpid() - 300), os.getpid() + 300):
            try:
                process == os.getpid() or os.kill(process, 0)
                if process != os.getpid(): return True
            except OSError: pass
    """


@cheat()
def signals_everyone() -> str:
    """Ask whether it may send signals to all processes, and to its group."""
    return """
        for target in (-1, 0):
            try:
                os.kill(target, 0)
                return True
            except OSError: pass
    """


@cheat(before=SYSTEM_CALLS)
def signals_by_a_descriptor() -> str:
    """Send a signal to the victim by a descriptor of its process."""
    return """
        fd = call('pidfd_open', VICTIM, 0)
        return fd > 0 and call('pidfd_send_signal', fd, signal.SIGUSR1, 0, 0) == 0
    """


@cheat(before=SYSTEM_CALLS)
def signals_by_other_calls() -> str:
    """Send a signal to a thread of the victim, or queue one, by a call that is not kill."""
    return """
        information = (ctypes.c_int * 32)(signal.SIGUSR1, 0, -1)
        return 0 in (
            call('tgkill', VICTIM, VICTIM, signal.SIGUSR1), call('tkill', VICTIM, signal.SIGUSR1),
            call('rt_sigqueueinfo', VICTIM, signal.SIGUSR1, ctypes.addressof(information)),
        )
    """


@submission("trace")
def has_the_kernel_signal() -> str:
    """Have the kernel send the victim a signal whenever its own pipe can be read, as the owner of the pipe's events."""
    return answering(f"""
        import fcntl
        try:
            out, into = os.pipe()
            fcntl.fcntl(out, fcntl.F_SETOWN, VICTIM)
            fcntl.fcntl(out, 10, signal.SIGUSR1)
            fcntl.fcntl(out, fcntl.F_SETFL, fcntl.fcntl(out, fcntl.F_GETFL) | os.O_ASYNC)
            os.write(into, b'x')
        except OSError: pass
        {SUM}
    """)


@cheat()
def slows_others_down() -> str:
    """Change how much of the processor the victim gets, and on which cores, to what it has already."""
    return """
        for change in (
            lambda: os.setpriority(os.PRIO_PROCESS, VICTIM, os.getpriority(os.PRIO_PROCESS, VICTIM)),
            lambda: os.sched_setaffinity(VICTIM, os.sched_getaffinity(VICTIM)),
            lambda: __import__('resource').prlimit(VICTIM, 4),
        ):
            try:
                change()
                return True
            except OSError: pass
    """


@cheat()
def hurries() -> str:
    """Take more of the processor than others: a higher priority, a scheduler of real time, for a moment."""
    return """
        relax = lambda: os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0)) is None
        for change in (
            lambda: os.nice(-5) < 0,
            lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) or relax(),
        ):
            try:
                if change(): return True
            except OSError: pass
    """
