"""How the API spells what is stored."""

import re


def label(stored: str) -> str:
    """`InProgress` is shown IN_PROGRESS, `human.form` HUMAN_FORM, `PUBLISHED` as it is."""
    if stored.isupper():
        return stored
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", stored).replace(".", "_").upper()
