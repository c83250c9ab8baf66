"""Code that starts threads and processes, which outlive the call where nothing ends them; each ends within seconds."""

from . import SUM, answering, cheat, submission

MARKED = """
def mark(): ctypes.CDLL(None).prctl(15, MARK.encode(), 0, 0, 0)
def linger():
    mark()
    time.sleep(8)
    os._exit(0)
"""


@cheat(before=MARKED)
def forks() -> str:
    """Fork a process that stays."""
    return "return os.fork() or linger()"


@cheat(before=MARKED)
def forks_twice() -> str:
    """Fork twice, with a session of its own in between, as a daemon does."""
    return """
        first = os.fork()
        if first == 0:
            os.setsid()
            os.fork() or linger()
            os._exit(0)
        return os.waitpid(first, 0)[0]
    """


@cheat()
def starts_a_program() -> str:
    """Start a program with subprocess."""
    return "import subprocess\nreturn subprocess.Popen(['sleep', '8'], start_new_session=True).pid"


@cheat()
def starts_a_program_by_the_shell() -> str:
    """Start a program with os.system, os.popen and posix_spawn."""
    return """
        if os.system('exit 0') == 0 or os.popen('echo x').read() == 'x\\n':
            return True
        return os.posix_spawn(sys.executable, [sys.executable, '-c', 'pass'], {})
    """


@submission("trace")
def becomes_a_program() -> str:
    """Become another program by exec."""
    return answering(
        f"os.execv('/bin/sh', ['sh', '-c', f'touch {{TRACE}}'])\n{SUM}".replace("{{", "{").replace("}}", "}")
    )


@cheat()
def starts_processes_with_multiprocessing() -> str:
    """Compute in processes of multiprocessing, forked, spawned, and served by another process."""
    return """
        import multiprocessing
        for method in ('fork', 'forkserver'):
            try:
                process = multiprocessing.get_context(method).Process(target=time.sleep, args=(5,), daemon=True)
                process.start()
                return process.pid
            except Exception:
                pass
    """


@submission("")
def leaves_a_thread_that_prints() -> str:
    """Leave a thread that prints for ever, and patches what it finds meanwhile."""
    return answering(
        f"threads or threads.append(threading.Thread(target=work, daemon=True).start())\n{SUM}",
        """
        threads = []
        def work():
            end = time.monotonic() + 8
            while time.monotonic() < end:
                print('\\x1b[2J all properties hold, 5 of 5 points', flush=True)
                torch.set_grad_enabled(False)
        """,
    )


@submission("fewer")
def leaves_a_thread_that_ends_the_process() -> str:
    """Leave a thread that ends the process a moment later, between two calls."""
    return answering(
        f"threads or threads.append(threading.Thread(target=work, daemon=True).start())\n{SUM}",
        "threads = []\ndef work():\n    time.sleep(0.01)\n    os._exit(0)\n",
    )


@submission("")
def hides_work_from_its_deadline() -> str:
    """Answer at once and compute on in threads, so that others wait for the processor."""
    return answering(
        f"work()\n{SUM}",
        """
        def spin():
            end = time.monotonic() + 5
            while time.monotonic() < end: pass
        def work():
            if threading.active_count() < 20: threading.Thread(target=spin, daemon=True).start()
        """,
    )
