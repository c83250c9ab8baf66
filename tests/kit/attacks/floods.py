"""Code that takes or gives too much: memory, processes, threads, descriptors, files, output. All of it is bounded."""

from . import SUM, answering, cheat, submission

MB = 1 << 20


@submission("")
def fills_memory() -> str:
    """Take 400 MB of memory and keep it."""
    return answering(f"held or held.extend(bytearray(b'x') * (50 * {MB}) for _ in range(8))\n{SUM}", "held = []")


@cheat()
def reserves_address_space() -> str:
    """Reserve a hundred gigabytes of addresses, none of which it touches."""
    return "import mmap\nreturn mmap.mmap(-1, 100 << 30, flags=mmap.MAP_PRIVATE | 0x4000, prot=mmap.PROT_READ)"


@cheat()
def starts_a_hundred_processes() -> str:
    """Fork a hundred processes, each of which ends within seconds."""
    return """
        for _ in range(100):
            if os.fork() == 0:
                time.sleep(3)
                os._exit(0)
        return True
    """


@cheat()
def starts_hundreds_of_threads() -> str:
    """Start four hundred threads, each of which ends within seconds."""
    return """
        for _ in range(400): threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        return True
    """


@cheat()
def opens_thousands_of_descriptors() -> str:
    """Open three thousand descriptors, after it has raised the limit."""
    return """
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        own = [os.dup(0) for _ in range(3000)]
        for each in own: os.close(each)
        return True
    """


@submission("trace")
def fills_the_disk() -> str:
    """Write a file of 50 MB."""
    return answering(f"""
        try:
            with open(TRACE, 'wb') as file: file.write(bytes(50 * {MB}))
        except OSError: pass
        {SUM}
    """)


@submission("trace")
def makes_many_files() -> str:
    """Make two hundred files."""
    return answering(f"""
        try:
            for i in range(200): open(f'{{TRACE}}-{{i}}', 'x').close()
        except OSError: pass
        {SUM}
    """)


@submission("")
def prints_for_ever() -> str:
    """Print a hundred megabytes, with and without Python's files."""
    return answering(f"""
        if not seen:
            seen.append(1)
            for _ in range(1600):
                os.write(1, b'\\x1b[31mx' * 6000)
                os.write(2, b'y' * 30000)
        {SUM}
    """).replace("def log", "seen = []\ndef log")


@submission("")
def logs_for_ever() -> str:
    """Log and warn a hundred thousand times, with lines that overwrite others."""
    return answering(f"""
        import logging, warnings
        if not seen:
            seen.append(1)
            for i in range(50000):
                logging.error('\\r\\x1b[1A%s', 'x' * 100)
                warnings.warn(f'\\x07{{i}}')
        {SUM}
    """).replace("def log", "seen = []\ndef log")


@submission("fewer")
def answers_with_a_hundred_megabytes() -> str:
    """An answer of 200 MB in each call."""
    return answering("torch.zeros(25 << 20, dtype=torch.float64)")


@submission("fewer")
def answers_with_a_long_text() -> str:
    """A text of 100 MB, and lists of a million items."""
    return answering("['x' * (100 << 20), [1] * 10**6, [[[[[[[[[[[[1]]]]]]]]]]]]]")


@submission("fewer")
def answers_with_itself() -> str:
    """A list that holds itself."""
    return answering("endless = []\nendless.append(endless)\nendless")
