"""What the commands have in common: options that are settings, and how a command ends that cannot be carried out."""

import re
import sys
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console

from db.session import Unavailable
from server.settings import Settings, shown
from server.watching.token import TokenSource

# No markup: a path or an IPv6 address may have brackets.
console = Console(highlight=False, soft_wrap=True, markup=False)

_USER_AND_PASSWORD = re.compile(r"(://[^\s:/@]*):\S*@")
_PASSWORD_IN_QUERY = re.compile(r"([?&]\w*password=)[^\s&]*", re.IGNORECASE)


def help_of(name: str) -> str:
    """An option's help, made of the setting behind it."""
    field = Settings.model_fields[name]
    return f"{field.description} (STEPGRAPH_{name.upper()}; default: {shown(field.default)})"


Database = Annotated[str | None, typer.Option(help=help_of("database"))]
DemoExecutions = Annotated[
    bool | None,
    typer.Option("--demo-executions/--no-demo-executions", help=help_of("demo_executions")),
]
DocumentsDir = Annotated[str | None, typer.Option(metavar="DIRECTORY", help=help_of("documents_dir"))]
Token = Annotated[str | None, typer.Option(help=help_of("token"))]
TokenFile = Annotated[str | None, typer.Option(metavar="FILE", help=help_of("token_file"))]


def fail(message: object) -> NoReturn:
    """One line on the error stream, exit code 1."""
    sys.stderr.write(" ".join(without_passwords(str(message)).split()) + "\n")
    raise typer.Exit(1)


def settings_of(**options: Any) -> Settings:
    """Options that were given outrank the environment."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        option = name.replace("_", "-")
        fail(f"--{option} (STEPGRAPH_{name.upper()}): {wrong['msg']}, got {wrong['input']!r}.")


def token_source(token: str | None, token_file: str | None) -> TokenSource:
    """What is shown to a server: an option outranks the environment."""
    if token is not None and token_file is not None:
        fail("--token and --token-file: give one of them.")
    if token is not None:
        return TokenSource(token)
    settings = settings_of(token_file=token_file)
    return TokenSource(settings.token, settings.token_file)


def run(work: Any) -> Any:
    try:
        return uvloop.run(work)
    except (Unavailable, ValueError) as error:
        fail(error)


def without_passwords(text: str) -> str:
    """A URL, or a message that holds some, as it may be shown."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _USER_AND_PASSWORD.sub(r"\1:***@", text))
