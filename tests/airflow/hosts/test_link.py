from __future__ import annotations

import json
import os
import socket
import time

from argo_yaml_provider.airflow.hosts.link import Link, Message, encode


def echo(line: socket.socket) -> None:
    """A runner that says what it hears, and ends when it is hung up on."""
    with line.makefile("rb") as heard:
        for message in heard:
            line.sendall(encode({"heard": json.loads(message), "pid": os.getpid()}))


def hear(link: Link, count: int) -> list[Message]:
    heard: list[Message] = []
    while len(heard) < count and not link.ended:
        heard += link.receive(5)
    return heard


def test_messages_go_there_and_back_in_order() -> None:
    link = Link(echo)
    for number in range(100):
        link.send({"number": number})
    heard = hear(link, 100)
    link.close(5)
    assert [message["heard"]["number"] for message in heard] == list(range(100))
    assert {message["pid"] for message in heard} == {link.pid}


def test_waiting_for_an_event_ends_with_the_event() -> None:
    link = Link(echo)
    link.send({})
    begun = time.monotonic()
    assert len(link.receive(30)) == 1
    assert time.monotonic() - begun < 10
    link.close(5)


def test_a_killed_runner_is_noticed() -> None:
    link = Link(echo)
    os.kill(link.pid, 9)
    assert link.receive(10) == []
    assert link.ended
    link.close(5)


def test_a_runner_ends_when_its_scheduler_hangs_up() -> None:
    link = Link(echo)
    begun = time.monotonic()
    link.close(30)
    assert time.monotonic() - begun < 10


def test_a_runner_is_at_work_from_its_first_word_on() -> None:
    link = Link(echo)
    started = time.monotonic()
    assert link.at_work(started + 5) == 0.0
    link.send({"a": 1})
    while not link.receive(5):
        pass
    assert 0 < link.at_work(time.monotonic() + 5) - 5 <= time.monotonic() - started
    link.close(5)
