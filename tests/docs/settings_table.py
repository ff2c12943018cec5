"""The table of options and environment variables, made of the settings themselves."""

from typer.main import get_command

from server.__main__ import cli
from server.settings import Settings


def settings_table() -> str:
    """One row per setting."""
    rows = ["| Option | Environment variable | Default | Meaning | Commands |", "|---|---|---|---|---|"]
    prefix = Settings.model_config["env_prefix"]
    for name, field in Settings.model_fields.items():
        commands = ", ".join(f"`{command}`" for command in _commands_with(name))
        option = f"`--{name.replace('_', '-')}`" if commands else "no option"
        variable = f"`{prefix}{name.upper()}`"
        rows.append(
            f"| {option} | {variable} | {_shown(field.default)} | {field.description} | {commands or '`serve`'} |"
        )
    return "\n".join(rows)


def command_names() -> list[str]:
    """The commands of the command line."""
    return list(get_command(cli).commands)


def options_of(command: str) -> set[str]:
    """The names of a command's options."""
    parameters = get_command(cli).commands[command].params
    return {str(parameter.name) for parameter in parameters} - {"help"}


def _shown(default: object) -> str:
    if default is False:
        return "off"
    return "" if default == "" else f"`{default}`"


def _commands_with(name: str) -> list[str]:
    return [command for command in command_names() if name in options_of(command)]
