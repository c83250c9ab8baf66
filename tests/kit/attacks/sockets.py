"""Code that opens sockets; only ever to a listener of the test on the loopback address."""

from . import cheat


@cheat()
def connects() -> str:
    """Connect to a listener by TCP."""
    return "return socket.create_connection(('127.0.0.1', PORT), 1)"


@cheat()
def sends_datagrams() -> str:
    """Send a datagram."""
    return "return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))"


@cheat()
def connects_by_an_abstract_name() -> str:
    """Connect to a socket whose name is in no file system."""
    return "return not socket.socket(socket.AF_UNIX).connect(f'\\0elbo-{PORT}')"


@cheat()
def connects_by_a_path() -> str:
    """Connect to a socket in a folder that everybody may use."""
    return "return not socket.socket(socket.AF_UNIX).connect(f'{CANARIES}/socket')"


@cheat()
def listens() -> str:
    """Wait for connections itself."""
    return """
        own = socket.socket()
        own.bind(('127.0.0.1', 0))
        own.listen(1)
        return True
    """


@cheat()
def asks_the_kernel_for_its_network() -> str:
    """Open a netlink socket."""
    return "return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"


@cheat()
def opens_rare_sockets() -> str:
    """Open sockets of families that are seldom used: raw packets, the kernel's ciphers, the machine's host."""
    return """
        for family, kind in ((17, 3), (38, 5), (40, 1), (2, 3), (16, 3), (31, 3), (1, 5)):
            try:
                return socket.socket(family, kind)
            except OSError: pass
    """


@cheat()
def makes_a_pair() -> str:
    """Make a pair of sockets of its own."""
    return "return socket.socketpair()"


@cheat()
def uses_the_connection_again() -> str:
    """Use the socket that it answers on for another connection."""
    return """
        import stat
        for number in (*range(3, 100), None):
            try:
                if number is None: again = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                elif not stat.S_ISSOCK(os.fstat(number).st_mode): continue
                else: again = socket.socket(fileno=os.dup(number))
                again.connect(f'{CANARIES}/datagrams')
                return True
            except (OSError, TypeError): pass
    """
