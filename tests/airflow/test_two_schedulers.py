"""Two schedulers at once on PostgreSQL, each with a runner of its own; one of them is killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import database

KILLS = Path(__file__).parents[2] / "bench" / "kills.py"


@pytest.mark.cluster  # not for a cluster, but it takes minutes on a busy machine
def test_every_attempt_has_one_pod_whichever_scheduler_runs_it() -> None:
    if why := database.missing("postgresql"):
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    command = [sys.executable, str(KILLS), "--victims", "scheduler", "--kills", "1", "--steps", "20", "--every", "1"]
    said = subprocess.run(
        [*command, "--schedulers", "2", "--database", "postgresql"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert re.sub(r"back at work.*", "", said).strip() == (
        "scheduler: killed 1 times; run success, 20 of 20 steps succeeded; 20 attempts with one pod each;"
    )
