from __future__ import annotations

import logging

import pytest

from argo_yaml_provider.step import outage
from argo_yaml_provider.step.outage import Outage

GONE = "the API server https://k does not answer: refused; steps wait for it"
BACK = "the API server https://k answers again"


def test_an_outage_is_told_once_and_its_end(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "TELL_SECONDS", 0.0)
    server = Outage("https://k")
    with caplog.at_level(logging.ERROR, outage.__name__):
        for _ in range(2):
            server.goes_on(OSError("refused"))
            server.goes_on(OSError("refused"))
            server.over()
            server.over()
    assert caplog.messages == [GONE, BACK, GONE, BACK]


def test_a_moment_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    server = Outage("https://k")
    with caplog.at_level(logging.ERROR, outage.__name__):
        server.goes_on(OSError("refused"))
        server.goes_on(OSError("refused"))
        server.over()
    assert caplog.messages == []
