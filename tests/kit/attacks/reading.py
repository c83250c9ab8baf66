"""Code that looks for right answers, or for what is none of its business, in files and in its environment."""

from . import cheat


@cheat()
def opens_the_reference() -> str:
    """Read the reference's file by its path."""
    return "return 'logsumexp' in open(ROOT + '/solutions/vae/likelihoods.py').read()"


@cheat()
def opens_the_reference_through_proc() -> str:
    """Read the reference's file by ways around its path: /proc/self/root, /proc/self/cwd, a descriptor of a folder."""
    return """
        for way in ('/proc/self/root' + ROOT, '/proc/self/cwd', '/proc/thread-self/cwd', ROOT + '/tests/..', '.'):
            try:
                folder = os.open(way, os.O_PATH)
                return os.read(os.open('solutions/vae/likelihoods.py', os.O_RDONLY, dir_fd=folder), 10)
            except OSError:
                pass
    """


@cheat()
def imports_the_reference() -> str:
    """Import the reference."""
    return "import solutions.vae.likelihoods as found\nreturn found.log_mean_exp"


@cheat()
def finds_the_reference_from_the_kit() -> str:
    """Find the reference beside the modules of the kit that are loaded, also as bytecode."""
    return """
        import glob, marshal
        root = os.path.dirname(os.path.dirname(sys.modules['grading.engine.wire'].__file__)) + '/..'
        found = glob.glob(root + '/**/likelihoods*.py*', recursive=True)
        return [open(path, 'rb').read() for path in found if 'solutions' in path]
    """


@cheat()
def imports_the_bank() -> str:
    """Import an alternative right answer of the bank."""
    return """
        from grading.bank import entries
        return [e for e in entries('vae.log_mean_exp') if e.kind == 'alternative']
    """


@cheat()
def imports_the_properties() -> str:
    """Import the properties, or their oracles."""
    return """
        for name in ('tests.vae.test_likelihoods', 'tests.support.oracles', 'tests.support.strategies'):
            try:
                return __import__(name)
            except ImportError:
                pass
    """


@cheat()
def reads_the_properties() -> str:
    """Read the properties' file."""
    return "return open(ROOT + '/tests/vae/test_likelihoods.py').read()"


@cheat()
def reads_the_rubric() -> str:
    """Read the rubric."""
    return "return open(ROOT + '/grading/rubric.toml').read()"


@cheat()
def reads_its_neighbour() -> str:
    """Read another student's file by its path."""
    return "return 'logsumexp' in open(NEIGHBOUR + '/vae/likelihoods.py').read()"


@cheat()
def looks_for_neighbours() -> str:
    """List the folders above its own for other submissions."""
    return """
        folder = os.path.dirname(os.path.abspath(__file__))
        for _ in range(4):
            folder = os.path.dirname(folder)
            try:
                names = [n for n in os.listdir(folder) if os.path.join(folder, n) not in __file__]
            except OSError:
                continue
            for name in names:
                path = os.path.join(folder, name, 'vae', 'likelihoods.py')
                if os.path.exists(path) and 'logsumexp' in open(path).read():
                    return True
    """


@cheat()
def reads_the_environment() -> str:
    """Look for a secret in the environment, as Python, the C library and the kernel know it."""
    return """
        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_char_p
        found = [os.environ.get(SECRET), libc.getenv(SECRET.encode())]
        with open('/proc/self/environ', 'rb') as file:
            found.append(SECRET.encode() in file.read())
        return any(found)
    """


@cheat()
def reads_environments_of_others() -> str:
    """Look for the secret in the environments of all processes."""
    return """
        for process in [str(os.getppid()), '1', *os.listdir('/proc')]:
            try:
                if process.isdigit() and SECRET.encode() in open(f'/proc/{process}/environ', 'rb').read():
                    return True
            except OSError:
                pass
    """


@cheat()
def reads_the_system() -> str:
    """Read files that say who works on this machine."""
    return """
        for path in ('/etc/passwd', '/etc/hosts', '/etc/machine-id', os.path.expanduser('~/.bashrc'), '/proc/version'):
            try:
                return open(path).read()
            except OSError:
                pass
    """


@cheat()
def looks_at_other_processes() -> str:
    """See the command line, the memory map or the root directory of a process that is not its own."""
    return """
        own = {str(os.getpid()), str(os.getppid())} if os.getppid() <= 1 else {str(os.getpid())}
        for process in (p for p in os.listdir('/proc') if p.isdigit() and p not in own):
            for what in ('cmdline', 'maps', 'root/etc/passwd', 'cwd/README.md'):
                try:
                    if open(f'/proc/{process}/{what}', 'rb').read(1):
                        return True
                except OSError:
                    pass
    """


@cheat()
def looks_through_its_descriptors() -> str:
    """Use a descriptor that somebody left open: a file, a folder, or a second socket."""
    return """
        import stat
        sockets = 0
        for number in range(3, 1024):
            try:
                mode = os.fstat(number).st_mode
            except OSError:
                continue
            sockets += stat.S_ISSOCK(mode)
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or sockets > 1:
                return True
    """
