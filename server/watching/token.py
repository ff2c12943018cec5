"""The bearer token that a client of the command line shows."""

from dataclasses import dataclass
from pathlib import Path


class NoToken(ValueError):
    """The file of the token cannot be read."""


@dataclass(frozen=True, slots=True)
class TokenSource:
    """A text, or a file that is read for each connection, so that whoever renews the token writes it there."""

    text: str = ""
    file: Path | None = None

    def read(self) -> str | None:
        """The token as it is now; None where there is none. Raises `NoToken`."""
        if self.file is None:
            return self.text.strip() or None
        try:
            return self.file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise NoToken(
                f"--token-file (STEPGRAPH_TOKEN_FILE): {self.file} cannot be read: {why}."
            ) from None


class TokenRefused(Exception):
    """The server wants a token, or another one; `reason` is what it says."""

    def __init__(self, reason: str, token: str | None) -> None:
        self.token = token
        if token is None:
            advice = "set STEPGRAPH_TOKEN or STEPGRAPH_TOKEN_FILE"
            super().__init__(f"The server asks for a token ({reason.rstrip('.')}): {advice}.")
        else:
            super().__init__(f"The server refuses the token: {reason}")
