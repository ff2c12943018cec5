"""The table of what scopes allow, made of the rules."""

from collections import defaultdict

from schema.scopes import RULES, Rule

_ROOTS = {"Query": "queries", "Mutation": "commands", "Subscription": "subscriptions"}


def scopes_table() -> str:
    """One row per rule."""
    by_rule: dict[Rule, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for field, rule in RULES.items():
        root, _, name = field.partition(".")
        by_rule[rule][root].append(name)
    rows = ["| Fields | What a token needs |", "|---|---|"]
    for rule, roots in by_rule.items():
        needs = "; and ".join(" or ".join(f"`{each}`" for each in scopes) for scopes in rule)
        fields = "; ".join(
            f"{_ROOTS[root]} {', '.join(f'`{name}`' for name in sorted(names))}"
            for root, names in roots.items()
        )
        rows.append(f"| {fields} | {needs} |")
    return "\n".join(rows)
