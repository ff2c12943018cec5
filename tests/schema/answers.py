"""What the API answers, and how many statements of a projection it took."""

from typing import Any

from tests.api import Api


async def answer(api: Api, document: str, statements: int, **variables: Any) -> Any:
    """The data, after as many statements as it should take."""
    api.database.statements.clear()
    data = await api.data(document, **variables)
    assert len(api.database.statements) == statements, api.database.statements
    return data


async def refused(api: Api, document: str, **variables: Any) -> str:
    """The message of the only error; nothing was asked of the database."""
    api.database.statements.clear()
    answer = await api.run(document, variables)
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}, error
    assert api.database.statements == []
    message: str = error["message"]
    return message
