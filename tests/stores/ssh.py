"""A git server over ssh: `python -m tests.stores.ssh PORT ROOT` lets in whoever has the key in ROOT/authorized."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path

import asyncssh


async def upload(process: asyncssh.SSHServerProcess[bytes], root: Path) -> None:
    program, path = shlex.split(process.command or "none none")
    repository = root / path.lstrip("/")
    if program != "git-upload-pack" or not repository.is_dir() or process.get_extra_info("username") != "git":
        process.stderr.write(f"fatal: '{path}' does not appear to be a git repository\n".encode())
        process.exit(128)
        return
    pack = await asyncio.create_subprocess_exec(
        "git", "upload-pack", str(repository), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    await process.redirect(stdin=pack.stdin, stdout=pack.stdout)
    process.exit(await pack.wait())


async def serve(port: int, root: Path) -> None:
    await asyncssh.listen(
        "0.0.0.0",
        port,
        server_host_keys=[str(root / "host-key")],
        authorized_client_keys=str(root / "authorized"),
        process_factory=lambda process: upload(process, root),
        encoding=None,
    )
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
