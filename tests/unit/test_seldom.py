"""A warning that comes by the thousand is logged once in a while."""

import logging

import pytest

from server.telemetry.seldom import Seldom


def test_the_same_is_said_once_in_a_while_with_the_number_of_those_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    seldom = Seldom(logging.getLogger("seldom"), seconds=10, clock=lambda: now)
    for _ in range(1_500):
        seldom.warn("It is full.")
    seldom.warn("It is away.")
    now = 10.0
    seldom.warn("It is full.")
    now = 20.0
    seldom.warn("It is full.")
    assert caplog.messages == [
        "It is full.",
        "It is away.",
        "It is full. (1,499 times more since it was last said)",
        "It is full.",
    ]
