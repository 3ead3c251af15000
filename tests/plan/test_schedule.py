from __future__ import annotations

from datetime import UTC, datetime

import pytest

from argo_yaml_provider.plan.schedule import first_after, last_between, read_schedule


def after(text: str, zone: str, start: str, count: int = 3) -> list[str]:
    """The next moments, as the clock of the zone shows them to a UTC reader."""
    schedules = (read_schedule(text, zone),)
    moment, found = datetime.fromisoformat(start), []
    for _ in range(count):
        following = first_after(schedules, moment)
        assert following is not None
        moment = following
        found.append(moment.strftime("%Y-%m-%dT%H:%MZ"))
    return found


@pytest.mark.parametrize(
    ("text", "zone", "start", "want"),
    [
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z",
            ["2026-03-28T01:30Z", "2026-03-30T00:30Z", "2026-03-31T00:30Z"], id="a-time-skipped-in-spring-does-not-fire",
        ),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z",
            ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z"], id="a-time-shown-twice-in-autumn-fires-twice",
        ),
        pytest.param(
            "0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z",
            ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"], id="each-hour-stays-each-hour-in-autumn",
        ),
        pytest.param(
            "0 * * * *", "Europe/Berlin", "2026-03-29T00:00Z",
            ["2026-03-29T01:00Z", "2026-03-29T02:00Z", "2026-03-29T03:00Z"], id="each-hour-stays-each-hour-in-spring",
        ),
        pytest.param(
            "CRON_TZ=America/New_York @daily", "Europe/Berlin", "2026-03-07T12:00Z",
            ["2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"], id="its-own-zone-wins",
        ),
        pytest.param(
            "0 0 13 * fri", "", "2026-11-01T00:00Z",
            ["2026-11-06T00:00Z", "2026-11-13T00:00Z", "2026-11-20T00:00Z"], id="day-or-weekday",
        ),
        pytest.param(
            "0 0 */2 * 1", "", "2026-11-01T00:00Z",
            ["2026-11-02T00:00Z", "2026-11-03T00:00Z", "2026-11-05T00:00Z"], id="a-star-with-a-step-is-a-list",
        ),
        pytest.param(
            "0 0 ? * 1", "", "2026-11-01T00:00Z",
            ["2026-11-02T00:00Z", "2026-11-09T00:00Z", "2026-11-16T00:00Z"], id="a-question-mark-is-a-star",
        ),
        pytest.param(
            "5/20 0-1 1 jan *", "", "2026-01-01T00:00Z",
            ["2026-01-01T00:05Z", "2026-01-01T00:25Z", "2026-01-01T00:45Z"], id="a-number-with-a-step-goes-to-the-end",
        ),
        pytest.param(
            "@every 1h30m", "", "2026-01-01T00:00Z",
            ["2026-01-01T01:30Z", "2026-01-01T03:00Z", "2026-01-01T04:30Z"], id="every",
        ),
        pytest.param(
            "0 0 29 2 *", "", "2026-01-01T00:00Z",
            ["2028-02-29T00:00Z", "2032-02-29T00:00Z", "2036-02-29T00:00Z"], id="leap-days",
        ),
    ],
)  # fmt: skip
def test_fires_as_robfig_cron_does(text: str, zone: str, start: str, want: list[str]) -> None:
    assert after(text, zone, start) == want


def test_a_day_that_never_comes_never_fires() -> None:
    assert first_after((read_schedule("0 0 30 2 *"),), datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_the_last_slot_is_found_across_schedules() -> None:
    schedules = (read_schedule("* * * * *"), read_schedule("0 6 * * *"))
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 6, 0, 30, tzinfo=UTC)
    assert last_between(schedules, start, end) == datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
    assert last_between(schedules[1:], start, end) == datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
    assert last_between(schedules[1:], datetime(2026, 1, 1, 6, 0, tzinfo=UTC), end) is None
