from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

BUSYBOX = shutil.which("busybox")
pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="needs a busybox")
TEXT = files("argo_yaml_provider.pods").joinpath("turn.sh").read_text("utf-8")


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    assert BUSYBOX
    if not (folder / "busybox").exists():
        shutil.copy(BUSYBOX, folder / "busybox")
    text = TEXT.replace("/var/run/argo", str(folder)).replace("/dev/termination-log", str(folder / "log"))
    return subprocess.Popen(
        [BUSYBOX, "sh", "-c", text, "turn", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_dependent_of_one_that_was_killed_ends(tmp_path: Path) -> None:
    first = start(tmp_path, "a", "1", "0", "", "--", "--", "sleep", "3")
    while not (tmp_path / "lives-a").exists():
        pass
    second = start(tmp_path, "b", "1", "0", "", "a", "--", "--", "echo", "never")
    first.kill()
    out, err = second.communicate(timeout=20)
    assert (second.returncode, out, err) == (64, "", 'dependency "a" exited with non-zero code: 137\n')
    first.communicate(timeout=20)


def test_one_that_others_hand_files_stays_until_they_end(tmp_path: Path) -> None:
    main = start(tmp_path, "main", "1", "0", "", "--", "a", "--", "sh", "-c", "exit 3")
    other = start(tmp_path, "a", "1", "0", "", "main", "--", "--", "true")
    assert (main.wait(timeout=20), other.wait(timeout=20)) == (3, 64)
    main.communicate()
    other.communicate()


def test_sigterm_reaches_the_command(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.1; done"
    one = start(tmp_path, "a", "5", "0", "", "--", "--", "sh", "-c", script)
    assert one.stdout
    assert one.stdout.readline() == "up\n"
    one.terminate()
    out, _ = one.communicate(timeout=20)
    assert (one.returncode, out, (tmp_path / "turn-a").read_text()) == (5, "bye\n", "5\n")


def test_the_log_holds_both_streams_of_all_attempts(tmp_path: Path) -> None:
    one = start(tmp_path, "a", "2", "0", "log", "--", "--", "sh", "-c", "echo out; sleep 0.2; echo err >&2; sleep 0.2; exit 3")
    out, err = one.communicate(timeout=20)
    assert (one.returncode, out, err) == (3, "out\nout\n", "err\nerr\n")
    assert (tmp_path / "log-a").read_text() == "out\nerr\nout\nerr\n"


def test_what_a_command_leaves_behind_does_not_hold_up_its_log(tmp_path: Path) -> None:
    one = start(tmp_path, "a", "1", "0", "log", "--", "--", "sh", "-c", "sleep 8 & echo out")
    assert (one.wait(timeout=6), (tmp_path / "log-a").read_text()) == (0, "out\n")
    one.communicate(timeout=20)
