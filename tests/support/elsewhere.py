"""This machine as Windows shows itself to the packages, as far as that can be had on Linux.

``python -m support.elsewhere ARGUMENTS`` runs pytest so. The packages, and nobody else, see

* no module and no name of ``os`` and ``signal`` that Windows lacks, and ``sys.platform`` as it is there;
* an ``os.open`` that opens no folders, and is told that bytes are meant;
* ``msvcrt.locking``, made of the locks of this machine, and Ctrl-Break, which is SIGUSR1 here;
* neither ``/proc`` nor ``/dev``;
* that a file which this process has open is neither renamed nor replaced nor removed, nor a folder that holds one.

What calls them goes through the standard library of Linux: paths, times and modes of files are this machine's.
"""

import builtins
import errno
import fcntl
import os
import shutil
import signal
import struct
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, ModuleType
from typing import Any, Final

OURS: Final = frozenset({"pneumo_train", "runstore", "runstore_mongo", "runstore_sql"})

_WORDS: Final = str.split

GONE: Final = frozenset(
    _WORDS("crypt curses fcntl grp nis ossaudiodev posix pty pwd readline resource spwd syslog termios tty")
)
"""Modules that Windows lacks."""

_OS: Final = frozenset(
    _WORDS(
        """
        O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_LARGEFILE O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK
        O_PATH O_RSYNC O_SYNC O_TMPFILE chown chroot confstr copy_file_range ctermid eventfd fchdir fchmod fchown
        fdatasync fork forkpty fpathconf fstatvfs getegid geteuid getgid getgrouplist getgroups getloadavg getpgid
        getpgrp getpriority getresgid getresuid getsid getuid getxattr initgroups killpg lchown listxattr lockf major
        makedev memfd_create minor mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_fallocate posix_openpt
        posix_spawn posix_spawnp pread preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity
        sched_setaffinity sched_yield sendfile setegid seteuid setgid setgroups setpgid setpriority setregid setresgid
        setresuid setreuid setsid setuid setxattr splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname unshare
        wait wait3 wait4 waitid writev
        """
    )
)
_SIGNALS: Final = frozenset({"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"})
_O_BINARY: Final = 1 << 30
_FIRST_BYTE: Final = (0, 1)


class _StandIn(ModuleType):
    """A module without some of its names, and with others in their place."""

    def __init__(self, real: ModuleType, is_gone: Callable[[str], bool], **instead: Any) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _is_gone=is_gone, _instead=instead)
        for name in ("__name__", "__doc__", "__loader__", "__package__", "__spec__"):
            self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        if name in self._instead:
            return self._instead[name]
        if self._is_gone(name):
            raise AttributeError(f"module {self._real.__name__!r} has no attribute {name!r} on Windows")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real, name)


def take_away() -> None:
    """Shows this machine so from now on, to packages that are imported from now on."""
    if found := OURS & set(sys.modules):
        raise RuntimeError(f"{sorted(found)} are imported already")
    shown = {
        "os": _StandIn(
            os, _OS.__contains__, name="nt", O_BINARY=_O_BINARY, open=_open, kill=_kill, supports_effective_ids=set()
        ),
        "signal": _StandIn(signal, _is_no_signal, SIGBREAK=signal.SIGUSR1),
        "sys": _StandIn(sys, lambda _: False, platform="win32"),
        "msvcrt": _msvcrt(),
    }
    real = builtins.__import__

    def imported(name: str, named: Any = None, local: Any = None, fromlist: Any = (), level: int = 0) -> ModuleType:
        asking = str((named or {}).get("__name__", ""))
        root, _, inner = name.partition(".")
        if level == 0 and asking.partition(".")[0] in OURS:
            if root in GONE:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if root in shown and not (inner and fromlist):
                return shown[root]
        return real(name, named, local, fromlist, level)

    builtins.__import__ = imported  # type: ignore[assignment]  # its first names are shadowed builtins
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # noqa: SLF001 - as on Windows: by paths
    for name in ("rename", "replace", "unlink", "remove", "rmdir"):
        setattr(os, name, _of_closed_files(getattr(os, name)))
    for name in ("listdir", "readlink", "stat"):
        setattr(os, name, _without_proc(getattr(os, name)))


def _is_no_signal(name: str) -> bool:
    is_number = name.startswith("SIG") and name.isupper()
    return (is_number and name not in _SIGNALS) or name in {
        "alarm", "getitimer", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "siginterrupt", "sigpending",
        "sigtimedwait", "sigwait", "sigwaitinfo",
    }  # fmt: skip


def _open(path: Any, flags: int, mode: int = 0o777) -> int:
    if os.path.isdir(path):  # noqa: PTH112 - as it was given
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    if not flags & _O_BINARY:
        raise AssertionError(f"{path} would be opened as a text, whose line ends change")
    return os.open(path, flags & ~_O_BINARY, mode)


def _kill(process: int, number: int) -> None:
    """Ends a process at once, whatever handler it has."""
    del number
    os.kill(process, signal.SIGKILL)


def _msvcrt() -> ModuleType:
    module = ModuleType("msvcrt")
    vars(module).update(LK_UNLCK=0, LK_LOCK=1, LK_NBLCK=2, LK_RLCK=3, LK_NBRLCK=4, locking=_locking)
    return module


def _locking(descriptor: int, mode: int, size: int) -> None:
    """Locks bytes from where the descriptor stands; they belong to it, and not to the process."""
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        if (start, size) == _FIRST_BYTE:  # a process that sees this machine as it is locks the same file so
            fcntl.flock(descriptor, (fcntl.LOCK_EX if mode else fcntl.LOCK_UN) | fcntl.LOCK_NB)
        else:
            kind = fcntl.F_WRLCK if mode else fcntl.F_UNLCK
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi0q", kind, os.SEEK_SET, start, size, 0))
    except OSError as error:
        is_held = error.errno in {errno.EAGAIN, errno.EACCES}
        raise OSError(errno.EACCES if is_held else errno.EINVAL, "Permission denied") from error


def _asked_by_us() -> bool:
    """Whether the call comes from our packages, through the standard library or not."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - who calls is what it is about
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in {
        "pathlib",
        "shutil",
        "tempfile",
    }:
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in OURS


def _of_closed_files(real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def refusing(*paths: Any, **named: Any) -> Any:
        if _asked_by_us():
            for path in paths:
                place = os.path.abspath(os.fspath(path))  # noqa: PTH100 - a link is renamed as a link
                if opened := [each for each in _open_files() if each == place or each.startswith(f"{place}/")]:
                    raise PermissionError(
                        errno.EACCES, f"The process cannot access the file: {opened[0]} is open", path
                    )
        return real(*paths, **named)

    return refusing


def _open_files() -> list[str]:
    found = []
    for name in _listdir("/proc/self/fd"):
        try:
            found.append(_readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue
    return found


def _without_proc(real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def hiding(path: Any = ".", *arguments: Any, **named: Any) -> Any:
        if str(path).startswith(("/proc/", "/dev/fd")) and _asked_by_us():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return real(path, *arguments, **named)

    return hiding


_listdir: Final = os.listdir
_readlink: Final = os.readlink

if __name__ == "__main__":
    take_away()
    import pytest

    sys.exit(pytest.main(sys.argv[1:]))
