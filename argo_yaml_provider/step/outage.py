"""An API server that does not answer: said once an outage, for those who wait and wonder, and again when it is over.

In: what became of each try.  Out: lines in this process's log.
Must not know: what was asked for.
"""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)
TELL_SECONDS = 10.0
"""Shorter ones are nobody's business."""


class Outage:
    """Of one API server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._since: float | None = None
        self._told = False

    def goes_on(self, error: Exception) -> None:
        """A try failed."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if not self._told and now - self._since >= TELL_SECONDS:
            log.error("the API server %s does not answer: %s; steps wait for it", self._url, error)
            self._told = True

    def over(self) -> None:
        """A try was answered."""
        if self._told:
            log.error("the API server %s answers again", self._url)
        self._since, self._told = None, False
