"""The table of options and environment variables, made of the settings themselves."""

from typer.main import get_command

from server.__main__ import cli
from server.settings import Settings, shown


def settings_table() -> str:
    """One row per setting."""
    rows = ["| Option | Environment variable | Default | Meaning | Commands |", "|---|---|---|---|---|"]
    prefix = Settings.model_config["env_prefix"]
    for name, field in Settings.model_fields.items():
        is_word = field.default in (None, "") or isinstance(field.default, bool | tuple)
        default = shown(field.default) if is_word else f"`{field.default}`"
        commands = ", ".join(f"`{command}`" for command in _commands_with(name))
        option = f"`--{name.replace('_', '-')}`" if commands else "no option"
        variable = f"`{prefix}{name.upper()}`"
        rows.append(f"| {option} | {variable} | {default} | {field.description} | {commands or '`serve`'} |")
    return "\n".join(rows)


def command_names() -> list[str]:
    """The commands of the command line."""
    return list(get_command(cli).commands)


def options_of(command: str) -> set[str]:
    """The names of a command's options."""
    parameters = get_command(cli).commands[command].params
    return {str(parameter.name) for parameter in parameters} - {"help"}


def _commands_with(name: str) -> list[str]:
    return [command for command in command_names() if name in options_of(command)]
