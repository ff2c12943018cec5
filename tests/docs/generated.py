"""The parts of pages that are made from the code, between `<!-- generated: name -->` and `<!-- end -->`.

`python -m tests.docs.generated` writes them anew; `test_generated.py` compares.
"""

import re
from collections.abc import Callable

from tests.docs.client_files import makers, packages_table
from tests.docs.diagrams import execution_diagram, step_diagram, version_diagram
from tests.docs.expression_tables import expression_limits, functions, light_functions
from tests.docs.limits_table import limits_table
from tests.docs.metrics_table import metrics_table
from tests.docs.pages import ROOT, page_names, read
from tests.docs.scopes_table import scopes_table
from tests.docs.settings_table import settings_table

MAKERS: dict[str, Callable[[], str]] = {
    "execution statuses": execution_diagram,
    "step statuses": step_diagram,
    "version statuses": version_diagram,
    "settings": settings_table,
    "limits": limits_table,
    "metrics": metrics_table,
    "scopes": scopes_table,
    "functions": functions,
    "light functions": light_functions,
    "expression limits": expression_limits,
    "packages of clients": packages_table,
    **makers(),
}
_PART = re.compile(r"(<!-- generated: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def parts(text: str) -> dict[str, str]:
    """The generated parts of a page's text, by name."""
    return {found[2]: found[3].removesuffix("\n") for found in _PART.finditer(text)}


def renewed(text: str) -> str:
    """A page's text with its generated parts as the code has them now."""
    return _PART.sub(lambda found: f"{found[1]}{MAKERS[found[2]]()}\n{found[4]}", text)


def main() -> None:
    """Write every page anew."""
    for page in page_names():
        (ROOT / page).write_text(renewed(read(page)), encoding="utf-8")


if __name__ == "__main__":
    main()
