"""Two tenants whose objects bear the same names: each field answers of its asker's own alone (`security.md` A3).

`test_tenants.py` asks as tenants that have nothing. Here whoever asks has the same keys, names, correlation ids,
idempotency keys, step ids and workers, each in use, so that a statement that forgets the tenant finds two.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.api import Api
from tests.contract.tables import everything
from tests.contract.test_tenants import ASKED, STREAMED, Values, fillings, first, live
from tests.contract.two_tenants import (
    ROOTS,
    Belongings,
    anonymous,
    document,
    never,
    new_mark,
    owned,
    variables,
)
from tests.live.streaming import Streaming

__all__ = ["live"]  # a fixture

Rows = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Namesakes:
    """What is theirs, told by its ids, its claim's token and the secret of its context; and whoever has the same texts."""

    theirs: Belongings
    secret: str
    their_tenant: str
    asker: Api
    own: Belongings

    def assert_nothing_of_theirs(self, answer: str, sent: Values) -> None:
        *_, claim_token = self.theirs.texts
        for value in (*self.theirs.ids, claim_token, self.secret):
            assert value in sent.values() or value not in answer, (value, answer)

    async def rows(self, tenant: str) -> Rows:
        return await everything(self.asker.store.database, tenant)


@pytest.fixture
async def namesakes(api: Api, tenant: str) -> Namesakes:
    mark, secret = new_mark(), f"secret-{uuid4().hex}"
    theirs = await owned(api, mark, secret)
    asker = api.as_tenant(f"{tenant}-namesake")
    return Namesakes(theirs, secret, tenant, asker, await owned(asker, mark))


def is_of_ids(values: Values) -> bool:
    return all(slot.is_id for slot in values)


@pytest.mark.parametrize(("keyword", "name"), ASKED)
async def test_what_is_theirs_is_neither_shown_nor_changed_where_ones_own_has_the_same_names(
    namesakes: Namesakes, keyword: str, name: str
) -> None:
    both = namesakes
    field = ROOTS[keyword].fields[name]
    text = document(keyword, name, 2)
    nobodys = never(both.theirs)
    before = await both.rows(both.their_tenant)
    own_before = await both.rows(both.asker.context.viewer.tenant)

    async def ask(values: Values) -> str:
        answer = json.dumps(await both.asker.run(text, variables(field, values)), ensure_ascii=False)
        both.assert_nothing_of_theirs(answer, values)
        return answer

    pairs = fillings(keyword, name, both.theirs, nobodys)
    for yours, none in pairs:
        if is_of_ids(yours):
            answer, unknown = await ask(yours), await ask(none)
            assert anonymous(answer, both.theirs) == anonymous(unknown, nobodys), (yours, answer, unknown)
    assert await both.rows(both.asker.context.viewer.tenant) == own_before
    # With texts one's own may be found, shown and changed.
    for yours, _ in pairs:
        if not is_of_ids(yours):
            await ask(yours)
    assert await both.rows(both.their_tenant) == before


async def test_a_key_of_theirs_is_not_ones_own(namesakes: Namesakes) -> None:
    """The same mutation under the same idempotency key was carried out for both."""
    both = namesakes
    find = "{ workflowExecutions { nodes { id context } } }"
    (own,) = (await both.asker.data(find))["workflowExecutions"]["nodes"]
    assert own["id"] in both.own.ids
    assert own["id"] not in both.theirs.ids
    assert own["context"] != {"secret": both.secret}


# Of `changes` the stream tells only what comes after; `test_tenants.py` has both tenants change something.
@pytest.mark.parametrize("name", [each for each in STREAMED if each != "changes"])
async def test_what_is_theirs_is_not_streamed_either(
    live: Streaming, namesakes: Namesakes, name: str
) -> None:
    both = namesakes
    nobodys = never(both.theirs)
    for yours, none in fillings("subscription", name, both.theirs, nobodys):
        answer = await first(live, both.asker, name, yours)
        both.assert_nothing_of_theirs(answer, yours)
        if is_of_ids(yours):
            unknown = await first(live, both.asker, name, none)
            assert anonymous(answer, both.theirs) == anonymous(unknown, nobodys), (yours, answer, unknown)
