"""A real Airflow for tests: a home of its own, and a SQLite database copied from a migrated one.

The home must be there before Airflow is imported for the first time, hence the code at the top.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from argo_yaml_provider.airflow.home import enter_home, template_folder

HOME = Path(tempfile.mkdtemp(prefix="argo-yaml-tests-"))
OWNER = os.getpid()
enter_home(HOME, print)
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"


@atexit.register
def _remove_home() -> None:
    if os.getpid() == OWNER:
        shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def airflow_db() -> Iterator[Path]:
    """A fresh, initialised metadata database; gives the Airflow home."""
    from airflow import settings

    settings.dispose_orm(do_log=False)
    for leftover in HOME.glob("airflow.db*"):
        leftover.unlink()
    shutil.copyfile(template_folder(print) / "airflow.db", HOME / "airflow.db")
    settings.configure_orm()
    yield HOME
    settings.dispose_orm(do_log=False)
    settings.configure_orm()
