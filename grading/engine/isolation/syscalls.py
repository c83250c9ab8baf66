"""The calls of the kernel that an answer to a question about tensors never needs, refused by seccomp."""

import errno
from typing import Any

from . import linux

NETWORK = "socket socketpair connect bind listen accept accept4"
PROGRAMS = "execve execveat fork vfork clone clone3"  # threads too: what they do would not be watched
OTHERS = "ptrace process_vm_readv process_vm_writev process_madvise pidfd_open pidfd_getfd pidfd_send_signal kcmp"
SIGNALS = "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo"
GROUPS = "setsid setpgid setns unshare setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid capset"
FILES = "mount umount2 pivot_root chroot open_by_handle_at name_to_handle_at fanotify_init move_mount open_tree fsopen"
MEMORY = (
    "shmget shmat msgget semget mq_open memfd_create memfd_secret userfaultfd add_key request_key keyctl mlock mlockall"
)
KERNEL = (
    "bpf perf_event_open io_uring_setup init_module finit_module kexec_load reboot swapon swapoff personality syslog"
)
CLOCKS = "settimeofday clock_settime adjtimex sethostname setdomainname acct quotactl iopl ioperm"
REFUSED = " ".join((NETWORK, PROGRAMS, OTHERS, SIGNALS, GROUPS, FILES, MEMORY, KERNEL, CLOCKS)).split()


def make_filter() -> Any:
    """Build the filter; what it refuses fails with an error, as on a machine that lacks the call.

    Raises:
        ImportError, RuntimeError, OSError: there is no libseccomp.
    """
    import pyseccomp as seccomp

    refuse = seccomp.ERRNO(errno.EPERM)
    found = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in REFUSED:
        if _known(seccomp, name):
            found.add_rule(refuse, name)
    found.add_rule(refuse, "prctl", seccomp.Arg(0, seccomp.MASKED_EQ, 0xFFFFFFFF, linux.SET_DEATH_SIGNAL))
    return found


def _known(seccomp: Any, name: str) -> bool:
    try:
        return seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0
    except OSError:
        return False
