"""A small process that forks containers for the server and tells how they ended.

In: lines of JSON on a socket, with file descriptors.  Out: lines of JSON: started, failed, ended.
Must not know: pods; it stays small so that a fork of it is cheap.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

from argo_yaml_provider.local import linux, sandbox

Json = dict[str, Any]
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_SHELL_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _say_failure(pipe: int, error: BaseException) -> None:
    kind = "exec" if isinstance(error, _NotRunnable) else "sandbox"
    os.write(pipe, json.dumps({"kind": kind, "message": str(error)[:2000]}).encode())


class _NotRunnable(Exception):
    """The command can't be executed."""


def _find(program: str, env: Json) -> str:
    """The file to execute, by the container's PATH, with the errors that a container runtime gives."""
    if "/" in program:
        if not os.path.exists(program):
            raise _NotRunnable(f'exec: "{program}": stat {program}: no such file or directory')
        if os.path.isdir(program) or not os.access(program, os.X_OK):
            raise _NotRunnable(f'exec: "{program}": permission denied')
        return program
    for folder in env.get("PATH", _SHELL_DEFAULT).split(":"):
        path = f"{folder or '.'}/{program}"
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise _NotRunnable(f'exec: "{program}": executable file not found in $PATH')


def _execute(spec: Json, mode: str) -> None:
    try:
        if spec.get("cwd"):
            os.chdir(spec["cwd"])
        elif mode != "plain":
            os.chdir("/")
    except OSError as error:
        raise _NotRunnable(f'chdir to cwd ("{spec["cwd"]}"): {error.strerror}') from None
    if mode != "plain" or spec.get("uid"):
        sandbox.become(spec, mode)
    if sys.platform == "linux" and "join" not in spec:
        linux.die_with_parent(signal.SIGKILL)  # changing the user forgets it
    path = _find(spec["argv"][0], spec["env"])
    try:
        os.execve(path, spec["argv"], spec["env"])  # noqa: S606 - that is its job
    except OSError as error:
        raise _NotRunnable(f'exec: "{path}": {error.strerror}') from None


def _join(spec: Json) -> None:
    """Enter the namespaces of a running container."""
    names = (("mnt", linux.NEWNS), ("uts", linux.NEWUTS), ("pid", linux.NEWPID))
    fds = [(os.open(f"/proc/{spec['join']}/ns/{name}", os.O_RDONLY), flag) for name, flag in names]
    for fd, flag in fds:
        linux.setns(fd, flag)
        os.close(fd)


class Launcher:
    """Forks on request; one child a container, one a command executed in it."""

    def __init__(self, control: socket.socket, mode: str) -> None:
        self._control, self._mode = control, mode
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, str] = {}
        self._starting: dict[int, int] = {}
        self._buffer = b""
        self._fds: list[int] = []

    def run(self) -> None:
        waking, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._control, selectors.EVENT_READ, self._read)
        self._selector.register(waking, selectors.EVENT_READ, lambda: self._reap(waking))
        self._say({"mode": self._mode})
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._selector.get_map():  # an earlier one of this round may have closed it
                    key.data()

    def _say(self, message: Json) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _read(self) -> None:
        data, ancillary, _, _ = self._control.recvmsg(65536, socket.CMSG_SPACE(64 * 4))
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
                for fd in fds:
                    os.set_inheritable(fd, False)
                self._fds.extend(fds)
        if not data:
            self._end()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def _end(self) -> None:
        """The server is gone: so is everything it ran."""
        for pid in self._children:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    kill(pid, signal.SIGKILL)
        sys.exit(0)

    def _handle(self, message: Json) -> None:
        if "signal" in message:
            for pid, name in self._children.items():
                if name == message["id"]:
                    self._signal(pid, message)
            return
        fds, self._fds = self._fds[:3], self._fds[3:]
        with open(message["file"]) as file:
            spec = json.load(file)
        self._launch(message["id"], spec, fds)
        for fd in fds:
            os.close(fd)

    def _signal(self, pid: int, message: Json) -> None:
        with contextlib.suppress(OSError):
            if message.get("group") or self._mode == "plain":
                os.killpg(pid, message["signal"])
            else:
                os.kill(pid, message["signal"])

    def _launch(self, name: str, spec: Json, fds: list[int]) -> None:
        reading, writing = os.pipe()
        isolated = self._mode != "plain" and "join" not in spec
        pid = linux.fork(linux.NEWPID) if isolated else os.fork()
        if pid == 0:
            os.close(reading)
            self._become(spec, fds, writing)
        os.close(writing)
        self._children[pid] = name
        self._starting[pid] = reading
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._launched(name, pid))

    def _launched(self, name: str, pid: int) -> None:
        """The pipe closes at exec; whatever came before is why there was none."""
        reading = self._starting.pop(pid)
        failure = b"".join(iter(lambda: os.read(reading, 4096), b""))
        self._selector.unregister(reading)
        os.close(reading)
        if failure:
            self._children.pop(pid, None)
            self._say({"id": name, "failed": json.loads(failure)})
        else:
            self._say({"id": name, "started": pid})

    def _become(self, spec: Json, fds: list[int], pipe: int) -> None:
        """In the child: never returns."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            for index, fd in enumerate(fds):
                os.dup2(fd, index)
            if spec.get("tty"):
                import fcntl
                import termios

                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if "join" in spec:
                self._run_joined(spec, pipe)
            if self._mode != "plain":
                sandbox.enter(spec, self._mode)
                if spec.get("init"):
                    _stay_as_init(pipe)
            _execute(spec, self._mode)
        except BaseException as error:  # noqa: BLE001 - whatever it was, the server must hear of it
            _say_failure(pipe, error)
        os._exit(127)

    def _run_joined(self, spec: Json, pipe: int) -> None:
        """Enter a container, then fork, because only children are in its process id namespace."""
        if self._mode != "plain":
            _join(spec)
            pid = os.fork()
            if pid:
                os.close(pipe)
                _, status = os.waitpid(pid, 0)
                _exit_as(status)
        _execute(spec, self._mode)

    def _reap(self, waking: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(waking, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if name := self._children.get(pid):
                self._finish(name, pid, status)

    def _finish(self, name: str, pid: int, status: int) -> None:
        if pid in self._starting:
            self._launched(name, pid)
        if self._children.pop(pid, None) is not None:
            self._say({"id": name, "ended": status})


def _stay_as_init(pipe: int) -> None:
    """Goes on in a child, for the kernel spares process 1 every signal that it does not handle; 1 itself ends as that child."""
    linux.die_with_parent(signal.SIGKILL)
    main = os.fork()
    if not main:
        return
    os.close(pipe)
    for number in _FORWARDED:
        signal.signal(number, lambda number, _: os.kill(main, number))
    while True:
        pid, status = os.wait()
        if pid == main:
            _exit_as(status)


def _exit_as(status: int) -> None:
    """End the way the child did."""
    if os.WIFSIGNALED(status):
        os._exit(128 + os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


def probe(mode: str, layer: str, scratch: str) -> str:
    """Why containers can't be made in this mode, or nothing."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if mode == "user":
                become_root()
            child = linux.fork(linux.NEWPID)
            if child == 0:
                sandbox.enter({"private": f"{scratch}/{mode}", "layer": layer, "cwd": "/probe"}, mode)
                os._exit(0)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        except BaseException as error:  # noqa: BLE001 - the reason is the answer
            os.write(writing, str(error).encode())
            os._exit(1)
    os.close(writing)
    why = b"".join(iter(lambda: os.read(reading, 4096), b"")).decode()
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return why if why or status == 0 else "mounting failed"


def become_root() -> None:
    """Become root of a user namespace of our own."""
    ids = os.getuid(), os.getgid()
    linux.unshare(linux.NEWUSER | linux.NEWNS)
    sandbox.write_maps(0, 0, outer=ids)


def choose_mode(layer: str, scratch: str) -> str:
    if sys.platform != "linux":
        return "plain"
    wanted = os.environ.get("ARGO_YAML_SANDBOX")
    modes = [wanted] if wanted else ["root", "user"] if os.geteuid() == 0 else ["user"]
    return next((mode for mode in modes if mode != "plain" and not probe(mode, layer, scratch)), "plain")


def main() -> None:
    layer, scratch = sys.argv[1:3]
    os.makedirs(scratch, exist_ok=True)
    control = socket.socket(fileno=int(sys.argv[3]))
    mode = choose_mode(layer, scratch)
    if mode == "user":
        become_root()
    if sys.platform == "linux":
        linux.die_with_parent(signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()
    gc.freeze()  # a collection would touch, and so copy, the pages shared with every child
    Launcher(control, mode).run()


if __name__ == "__main__":
    main()
