"""`stepgraph` and `python -m server`."""

from server.command_line import cli


def main() -> None:
    """The entry point of `stepgraph`."""
    cli()


if __name__ == "__main__":
    main()
