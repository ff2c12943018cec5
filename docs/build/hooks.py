"""What the site has beside the pages of `docs/`: the README, the changelog, the reference, the list of decisions."""

import re
import sys
from pathlib import Path
from typing import Any

from graphql import build_schema
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from reference import reference

ROOT = Path(__file__).parents[2]
MERMAID = Path(__file__).parent / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
_TO_DOCS = re.compile(r"\]\(docs/([^)]+)\)")
_TO_README = re.compile(r"\]\(\.\./README\.md(#[^)]*)?\)")
# What a block is to the tests, which no reader needs: "```json answer".
_ROLE = re.compile(r"^```(\w+) .*$", re.MULTILINE)
# Of the repository and of no page.
_ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?:LICENSE|frontend_queries/README\.md)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the decisions, in the order of their numbers."""
    names = [f"decisions/{path.name}" for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    (contributors,) = [part["Contributors"] for part in config.nav or [] if "Contributors" in part]
    for part in contributors:
        if isinstance(part, dict) and "Decisions" in part:
            part["Decisions"] = names
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
    made = {
        "index.md": _at_top((ROOT / "README.md").read_text(encoding="utf-8")),
        "changelog.md": _at_top((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")),
        "reference.md": reference(schema),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, MERMAID.name, abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links to the README lead to the first page, and blocks have a language alone."""
    return _TO_README.sub(lambda found: f"](index.md{found[1] or ''})", _ROLE.sub(r"```\1", markdown))


def _at_top(text: str) -> str:
    text = _ELSEWHERE.sub(r"\1", _TO_DOCS.sub(r"](\1)", text))
    return text.replace("](CHANGELOG.md)", "](changelog.md)")
