"""What is checked of a broadcast URL before anything is opened."""

from urllib.parse import urlsplit


def require_address(url: str) -> None:
    """Raises `ValueError` when host and port cannot be read, without what stands there: it may be a password."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError(
            "broadcast URL: host and port cannot be read; a password's special characters are percent-encoded"
        ) from None
