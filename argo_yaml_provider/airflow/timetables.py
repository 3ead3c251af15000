"""A CronWorkflow's schedules as an Airflow timetable: a run is made at the time that a schedule says, and carries it.

In: the schedules, a time zone, a deadline.  Out: `CronWorkflowTimetable`, which the provider's plugin registers.
Must not know: workflows, how a schedule is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from argo_yaml_provider.plan.schedule import Schedule, first_after, just_before, last_between, read_schedule

if TYPE_CHECKING:
    from pendulum import DateTime

PROMPT = timedelta(seconds=60)
"""A slot that the scheduler comes to this late was not missed: only busy."""
_NEW = timedelta(seconds=10)
"""The same for a DAG without runs, where an older slot may well be from before its time."""


class CronWorkflowTimetable(Timetable):
    """Fires when any of the schedules does; two at one moment make one run.

    Of slots that were missed, only the latest is made up for, and only within the deadline; with `catchup`, each of them.
    """

    def __init__(self, schedules: tuple[str, ...], *, timezone: str = "", deadline: int = 0) -> None:
        self._texts, self._timezone, self._deadline = tuple(schedules), timezone, deadline
        self.description = f"{' and '.join(self._texts)} ({timezone or 'UTC'})"

    @cached_property
    def _schedules(self) -> tuple[Schedule, ...]:
        return tuple(read_schedule(text, self._timezone) for text in self._texts)

    @property
    def summary(self) -> str:
        """What the UI shows."""
        return ", ".join(self._texts)

    def serialize(self) -> dict[str, Any]:
        """What the serialized DAG keeps."""
        return {"schedules": list(self._texts), "timezone": self._timezone, "deadline": self._deadline}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """What `serialize` kept."""
        return cls(tuple(data["schedules"]), timezone=data["timezone"], deadline=data["deadline"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronWorkflowTimetable) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((self._texts, self._timezone, self._deadline))

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """A run by hand is for the moment that it was asked for."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next slot, which is a run's logical date, its data interval and its time to start."""
        last = last_automated_data_interval.end if last_automated_data_interval else None
        slot = self._every_slot(last, restriction.earliest) if restriction.catchup else self._due(last, restriction.earliest)
        if slot is None or (restriction.latest is not None and slot > restriction.latest):
            return None
        return DagRunInfo.exact(_pendulum(slot))

    def _every_slot(self, last: datetime | None, earliest: datetime | None) -> datetime | None:
        starts = [start for start in (last, just_before(earliest) if earliest else None) if start]
        return first_after(self._schedules, max(starts, default=datetime.now(UTC)))

    def _due(self, last: datetime | None, earliest: datetime | None) -> datetime | None:
        """The latest slot that is not too late, else the next one."""
        now = datetime.now(UTC)
        late = max(PROMPT, timedelta(seconds=self._deadline)) if last else _NEW
        bounds = [bound for bound in (last, just_before(earliest) if earliest else None) if bound]
        start = max([now - late, *bounds])
        return last_between(self._schedules, start, now) or first_after(self._schedules, max(start, now))


def _pendulum(moment: datetime) -> DateTime:
    import pendulum

    return pendulum.instance(moment, tz="UTC")
