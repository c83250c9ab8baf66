"""Code that asks the kernel directly, by calls that a list of forbidden ones may have forgotten."""

from . import cheat

NUMBERS = {
    "io_uring_setup": (425, 425),
    "memfd_create": (319, 279),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "userfaultfd": (323, 282),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "clone3": (435, 435),
    "unshare": (272, 97),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "openat2": (437, 437),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "kcmp": (312, 272),
    "shmget": (29, 194),
    "shmctl": (31, 195),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "memfd_secret": (447, 447),
    "process_vm_readv": (310, 270),
    "inotify_init1": (294, 26),
}
SYSTEM_CALLS = f"""
import platform
NUMBERS = {NUMBERS!r}
def call(name, *arguments):
    number = NUMBERS[name][platform.machine() == 'aarch64']
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
"""


@cheat(before=SYSTEM_CALLS)
def sets_up_a_ring() -> str:
    """Set up a ring of requests (io_uring), by which the kernel opens files on one's behalf."""
    return "return call('io_uring_setup', 4, (ctypes.c_char * 120)()) > 0"


@cheat(before=SYSTEM_CALLS)
def makes_a_file_of_memory() -> str:
    """Make a file that is only memory, to be run or shared."""
    return "return call('memfd_create', b'elbo', 0) > 0 or call('memfd_secret', 0) > 0"


@cheat(before=SYSTEM_CALLS)
def runs_a_file_of_memory() -> str:
    """Run a program from a file of memory, in a process made with vfork's call."""
    return """
        fd = call('memfd_create', b'elbo', 0)
        os.write(fd, open('/bin/true', 'rb').read())
        process = os.fork()
        if process == 0:
            null = ctypes.c_void_p()
            call('execveat', fd, b'', (ctypes.c_char_p * 2)(b'true', None), null, 0x1000)
            os._exit(3)
        return os.waitpid(process, 0)[1] == 0
    """


@cheat(before=SYSTEM_CALLS)
def traces_the_victim() -> str:
    """Seize another process as a debugger does, and let it go."""
    return "return call('ptrace', 0x4206, VICTIM, 0, 0) == 0 and call('ptrace', 17, VICTIM, 0, 0) < 5"


@cheat(before=SYSTEM_CALLS)
def handles_its_own_faults() -> str:
    """Handle page faults itself (userfaultfd), which makes races in the kernel easy to win."""
    return "return call('userfaultfd', 0) > 0 or call('userfaultfd', 1) > 0"


@cheat(before=SYSTEM_CALLS)
def opens_by_handle() -> str:
    """Open the reference's file by a handle, with no path that could be forbidden."""
    return """
        handle = (ctypes.c_uint * 40)(128)
        mount = ctypes.c_int()
        path = (ROOT + '/solutions/vae/likelihoods.py').encode()
        if call('name_to_handle_at', -100, path, handle, ctypes.byref(mount), 0): return False
        fd = call('open_by_handle_at', os.open(ROOT, os.O_RDONLY), handle, os.O_RDONLY)
        return fd > 0 and os.read(fd, 1)
    """


@cheat(before=SYSTEM_CALLS)
def opens_by_another_call() -> str:
    """Open the reference's file by openat2."""
    return """
        how = (ctypes.c_uint64 * 3)(0, 0, 0)
        return call('openat2', -100, (ROOT + '/solutions/vae/likelihoods.py').encode(), how, 24) > 0
    """


@cheat(before=SYSTEM_CALLS)
def clones_by_another_call() -> str:
    """Make a process by clone3, whose arguments a filter cannot see."""
    return """
        arguments = (ctypes.c_uint64 * 11)()
        arguments[4] = signal.SIGCHLD
        process = call('clone3', arguments, 88)
        if process == 0: os._exit(0)
        return process > 0
    """


@cheat(before=SYSTEM_CALLS)
def leaves_its_namespaces() -> str:
    """Enter a user namespace of its own, in which it would be root."""
    return "return call('unshare', 0x10000000) == 0 or call('unshare', 0x00020000) == 0"


@cheat(before=SYSTEM_CALLS)
def mounts() -> str:
    """Take hold of a tree of files that it could mount elsewhere."""
    return "return call('open_tree', -100, ROOT.encode(), 1) > 0 or call('fsopen', b'tmpfs', 0) > 0"


@cheat(before=SYSTEM_CALLS)
def uses_rare_calls() -> str:
    """Performance counters, programs in the kernel, keys, comparisons of processes."""
    return """
        attributes = (ctypes.c_uint32 * 32)(1, 128)
        key = call('add_key', b'user', b'elbo', b'x', 1, -1)
        counter, order = call('perf_event_open', attributes, 0, -1, -1, 0), call('kcmp', os.getpid(), VICTIM, 0, 0, 0)
        return key > 0 or counter > 0 or order >= 0
    """


@cheat(before=SYSTEM_CALLS)
def shares_memory() -> str:
    """Make a segment of shared memory that outlives its process, or a queue of messages; removed at once."""
    return """
        segment = call('shmget', 0, 4096, 0o1600)
        queue = call('mq_open', f'elbo-{os.getpid()}'.encode(), os.O_CREAT | os.O_RDWR, 0o600, ctypes.c_void_p())
        if segment >= 0: call('shmctl', segment, 0, 0)
        if queue > 0: call('mq_unlink', f'elbo-{os.getpid()}'.encode())
        return segment >= 0 or queue > 0
    """


@cheat()
def asks_as_another_machine() -> str:
    """Open a socket by the calls of 32-bit programs, which a filter for 64 bits does not know."""
    return """
        import mmap, platform
        if platform.machine() != 'x86_64': return False
        # push rbx; mov eax, 359; mov ebx, 1; mov ecx, 1; xor edx, edx; int 0x80; pop rbx; ret
        code = bytes.fromhex('53' 'b867010000' 'bb01000000' 'b901000000' '31d2' 'cd80' '5b' 'c3')
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0
    """


@cheat("")  # few kernels still know that interface
def asks_by_other_numbers() -> str:
    """Open a socket by the numbers of the x32 interface."""
    return """
        import platform
        number = 0x40000000 + 41 if platform.machine() == 'x86_64' else 198
        return ctypes.CDLL(None).syscall(ctypes.c_long(number), 1, 1, 0) > 0
    """
