"""The system calls of Linux that Python 3.11 does not wrap.

In: paths, flags, process ids.  Out: nothing, or OSError naming the path.
Must not know: containers.
"""

from __future__ import annotations

import ctypes
import os
import signal

NEWNS, NEWUTS, NEWUSER, NEWPID = 0x20000, 0x4000000, 0x10000000, 0x20000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PR_SET_PDEATHSIG = 1
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def fork(flags: int) -> int:
    """Fork into new namespaces; unlike `unshare` it leaves the caller where it is. Only for a process of one thread."""
    number = _SYS_CLONE[os.uname().machine]
    # PyDLL: the interpreter lock must not change hands in the middle of a fork
    libc = ctypes.PyDLL(None, use_errno=True)
    pid: int = libc.syscall(ctypes.c_long(number), ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0)
    if pid < 0:
        _check(1, "clone")
    return pid


def setns(fd: int, flags: int = 0) -> None:
    _check(_libc.setns(fd, flags), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    arguments = [text.encode() if text else None for text in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() if options else None)
    _check(result, f"mount {kind or source} on {target}")


def bind(source: str, target: str, *, readonly: bool = False) -> None:
    """Bind a file or folder; read-only needs a second call, and the flags the first mount is locked to."""
    mount(source, target, flags=BIND | REC)
    if readonly:
        locked = os.statvfs(target).f_flag & (NOSUID | NODEV | NOEXEC)
        mount("none", target, flags=BIND | REMOUNT | RDONLY | locked)


def pivot(root: str) -> None:
    """Make `root` the root of this mount namespace and let go of the old one."""
    os.chdir(root)
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        mount(root, "/", flags=8192)  # MS_MOVE
        os.chroot(".")
    else:
        _check(_libc.syscall(ctypes.c_long(number), b".", b"."), f"pivot_root {root}")
        _check(_libc.umount2(b".", _DETACH), "umount of the old root")
    os.chdir("/")


def sethostname(name: str) -> None:
    text = name.encode()[:64]
    _check(_libc.sethostname(text, len(text)), f"sethostname {name}")


def die_with_parent(signal: int) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)
