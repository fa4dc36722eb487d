"""Answers that are shared by those who ask at the same time."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from vlga.service.pages.shared import Shared


def test_who_asks_at_the_same_time_shares_an_answer():
    """However many ask while one is being made, one more is made for all of them."""
    numbers = itertools.count()

    async def ask() -> list[int]:
        shared: Shared[int] = Shared()
        go_on = asyncio.Event()

        async def make() -> int:
            number = next(numbers)
            await go_on.wait()
            return number

        first = asyncio.create_task(shared.get("key", make))
        await asyncio.sleep(0)
        others = [asyncio.create_task(shared.get("key", make)) for _ in range(100)]
        await asyncio.sleep(0)
        go_on.set()
        return [await first, *await asyncio.gather(*others)]

    assert asyncio.run(ask()) == [0] + [1] * 100


def test_an_answer_is_never_older_than_the_question():
    """Who asks later gets a new one; a failure is given to none but who asked."""

    async def ask() -> list[int]:
        shared: Shared[int] = Shared()
        numbers = itertools.count()

        async def make() -> int:
            number = next(numbers)
            if number == 1:
                raise ValueError
            return number

        given = [await shared.get("key", make)]
        with pytest.raises(ValueError):  # noqa: PT011 - raised just above
            await shared.get("key", make)
        return [*given, await shared.get("key", make)]

    assert asyncio.run(ask()) == [0, 2]


def test_few_keys_are_kept():
    """Those asked for last."""

    async def ask() -> list[object]:
        shared: Shared[str] = Shared(n_kept=2)

        async def make() -> str:
            return "answer"

        for key in "abca":
            await shared.get(key, make)
        return [*shared._kept]

    assert asyncio.run(ask()) == ["c", "a"]
