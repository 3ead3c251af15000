"""Turn a freshly forked process into a container: its own mounts, process ids and host name.

In: a `Spec` read from JSON.  Out: nothing; the process is then inside.
Must not know: pods, the API; it is imported by the launcher, so it imports next to nothing.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any

from argo_yaml_provider.local import linux

Json = dict[str, Any]

EMPTY = ("/tmp", "/run", "/mnt", "/media", "/var/tmp")  # noqa: S108 - hidden, not used
"""Folders of the host that a container starts without."""
_OWN = {"proc", "sys", "dev", "boot", "lost+found", *(path[1:] for path in EMPTY if path.count("/") == 1)}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_PSEUDO = {"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue", "debugfs", "tracefs", "securityfs", "bpf"}
_WRITTEN = ["/etc", "/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib", "/var/lib", "/var/log", "/var/cache"]
"""Folders that containers put files into."""


def mount_points() -> list[str]:
    """Where real file systems are mounted below `/`, outermost first."""
    points = []
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if kind not in _PSEUDO:
                points.append(fields[4].encode().decode("unicode_escape"))
    return sorted({p for p in points if p != "/" and not p.startswith(("/proc", "/sys", "/dev"))})


class Root:
    """A container's root folder while it is put together; `private` is writable space of its own."""

    def __init__(self, *, private: str, layer: str, mode: str) -> None:
        self._private, self._layer, self._mode = private, layer, mode
        self.path = f"{private}/root"
        self._count = 0
        self._points = mount_points()

    def build(self) -> None:
        """The host's files, each top folder below a layer that takes the writes.

        Not one overlay over `/`: it would overlap with its own upper folder, which the kernel refuses.
        """
        os.makedirs(self.path, exist_ok=True)
        linux.mount("tmpfs", self.path, "tmpfs", options="mode=755")
        for entry in os.scandir("/"):
            if entry.name not in _OWN:
                self._add(entry)
        self._link_layer()
        for folder in EMPTY:
            self._replace(folder)
        self._proc_and_sys()
        self._dev()

    def _cover(self, point: str) -> None:
        with contextlib.suppress(OSError):
            self._overlay(point, self.path + point)

    def _add(self, entry: os.DirEntry[str]) -> None:
        target = self.path + entry.path
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            os.mkdir(target)
            if os.access(entry.path, os.R_OK | os.X_OK):
                self._overlay_deep(entry.path)

    def _overlay_deep(self, source: str) -> None:
        """A folder that holds our own, or in a user namespace any mount, can't be a layer: go down to those that can."""
        target = self.path + source
        inner = [point for point in self._points if point.startswith(source + "/")]
        try:
            self._overlay(source, target)
            for point in inner:
                self._cover(point)
        except OSError:
            if not inner and not self._private.startswith(source + "/"):
                with contextlib.suppress(OSError):
                    linux.bind(source, target, readonly=True)
                return
            with contextlib.suppress(OSError):
                for entry in os.scandir(source):
                    self._add(entry)

    def _overlay(self, source: str, target: str) -> None:
        base = f"{self._private}/{self._count}"
        self._count += 1
        upper, work = f"{base}u", f"{base}w"
        os.mkdir(upper, 0o755)
        os.mkdir(work)
        if self._mode == "user":
            self._own_folders(source, upper)
        ours = self._layer + ("" if source == "/" else source)
        lower = f"{ours}:{source}" if os.path.isdir(ours) else source
        extra = ",userxattr" if self._mode == "user" else ""
        linux.mount("overlay", target, "overlay", options=f"lowerdir={lower},upperdir={upper},workdir={work}{extra}")

    def _own_folders(self, source: str, upper: str) -> None:
        """Folders that belong to an unmapped user take no new entries; those that containers write to become ours."""
        for path in _WRITTEN:
            if path.startswith(source + "/") and os.path.isdir(path):
                os.makedirs(upper + path[len(source) :], exist_ok=True)

    def _link_layer(self) -> None:
        """What the layer has at the top, which no overlay covers here."""
        for entry in os.scandir(self._layer):
            target = f"{self.path}/{entry.name}"
            if not os.path.lexists(target) and entry.is_file():
                with open(target, "w"):
                    pass
                linux.bind(entry.path, target)

    def _replace(self, folder: str) -> None:
        target = self.path + folder
        if os.path.islink(target):
            return
        empty = f"{self._private}/empty{folder.replace('/', '-')}"
        os.makedirs(empty, exist_ok=True)
        os.chmod(empty, 0o1777 if folder.endswith("tmp") else 0o755)
        os.makedirs(target, exist_ok=True)
        linux.mount(empty, target, flags=linux.BIND)

    def _proc_and_sys(self) -> None:
        for name in ("proc", "sys"):
            os.makedirs(f"{self.path}/{name}", exist_ok=True)
        try:
            linux.mount("proc", f"{self.path}/proc", "proc", linux.NOSUID | linux.NODEV | linux.NOEXEC)
        except OSError:  # a container around us masks parts of /proc
            linux.bind("/proc", f"{self.path}/proc")
        with contextlib.suppress(OSError):
            linux.bind("/sys", f"{self.path}/sys")

    def _dev(self) -> None:
        dev = f"{self.path}/dev"
        os.makedirs(dev, exist_ok=True)
        linux.mount("tmpfs", dev, "tmpfs", linux.NOSUID, "mode=755")
        for name in _DEVICES:
            if os.path.exists(f"/dev/{name}"):
                with open(f"{dev}/{name}", "w"):
                    pass
                linux.mount(f"/dev/{name}", f"{dev}/{name}", flags=linux.BIND)
        for name in ("shm", "pts"):
            os.mkdir(f"{dev}/{name}")
        linux.mount("tmpfs", f"{dev}/shm", "tmpfs", linux.NOSUID | linux.NODEV, "mode=1777")
        with contextlib.suppress(OSError):
            linux.bind("/dev/pts", f"{dev}/pts")
            os.symlink("pts/ptmx", f"{dev}/ptmx")
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            os.symlink(f"/proc/self/{target}" if name != "fd" else target, f"{dev}/{name}")

    def inside(self, path: str) -> str:
        """Where a path of the container is now: links are followed within the root, never out of it."""
        done = self.path
        parts = [p for p in path.split("/") if p not in {"", "."}]
        hops = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                done = os.path.dirname(done) if done != self.path else done
                continue
            step = f"{done}/{part}"
            if os.path.islink(step) and hops < 40:
                hops += 1
                goal = os.readlink(step)
                done = self.path if goal.startswith("/") else done
                parts = [p for p in goal.split("/") if p not in {"", "."}] + parts
            else:
                done = step
        return done

    def place(self, mount: Json) -> None:
        """Bind one volume, or one file of it."""
        target, source = self.inside(mount["target"]), mount["source"]
        if stat.S_ISDIR(os.stat(source).st_mode):
            os.makedirs(target, exist_ok=True)
        elif not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w"):
                pass
        linux.bind(source, target, readonly=bool(mount.get("readonly")))

    def write(self, path: str, text: str) -> None:
        """Put a file of ours over one of the image; in a user namespace the image's own can't be written."""
        file = f"{self._private}/file{path.replace('/', '-')}"
        with open(file, "w") as out:
            out.write(text)
        self.place({"source": file, "target": path})


def enter(spec: Json, mode: str) -> None:
    """Give this process, the first of a new process id namespace, a root of its own."""
    linux.unshare(linux.NEWNS | linux.NEWUTS)
    linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
    private = spec["private"]
    os.makedirs(private, exist_ok=True)
    # in memory: forty folders made and removed for each container are slow on a disk, and here they go by themselves
    linux.mount("tmpfs", private, "tmpfs", options="mode=755")
    root = Root(private=private, layer=spec["layer"], mode=mode)
    root.build()
    if spec.get("disk"):
        root.place({"source": spec["disk"], "target": "/tmp"})  # noqa: S108 - the container's
    for path, text in spec.get("files", {}).items():
        root.write(path, text)
    for mount in spec.get("mounts", ()):
        root.place(mount)
    if spec.get("cwd"):
        os.makedirs(root.inside(spec["cwd"]), exist_ok=True)
    with contextlib.suppress(OSError):
        linux.sethostname(spec.get("hostname", "pod"))
    linux.pivot(root.path)


def become(spec: Json, mode: str) -> None:
    """Take on the user that was asked for; without other users in the namespace only their number can be had."""
    uid, gid = spec.get("uid"), spec.get("gid")
    if mode == "root" or (mode == "plain" and os.geteuid() == 0):
        if gid is not None or uid:
            os.setgroups(spec.get("groups", []))
            os.setgid(gid or 0)
        if uid:
            os.setuid(uid)
    elif mode == "user" and uid:
        linux.unshare(linux.NEWUSER)
        write_maps(uid, gid or 0)


def write_maps(uid: int, gid: int, *, outer: tuple[int, int] = (0, 0)) -> None:
    """Let `outer` be seen as uid and gid in the user namespace just made."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {outer[0]} 1"), ("gid_map", f"{gid} {outer[1]} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
