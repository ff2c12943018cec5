"""The reference of the API as a page, made of the schema."""

from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    ast_from_value,
    get_named_type,
    is_specified_scalar_type,
    print_ast,
)

ROOTS = {"Query": "Queries", "Mutation": "Commands", "Subscription": "Subscriptions"}
KINDS = {
    "Objects": GraphQLObjectType,
    "Interfaces": GraphQLInterfaceType,
    "Unions": GraphQLUnionType,
    "Inputs": GraphQLInputObjectType,
    "Enums": GraphQLEnumType,
    "Scalars": GraphQLScalarType,
}
HEAD = """# Reference

Every field and type of the API, made of `schema/schema.graphql`. How they are used is told in [API](api.md).
"""


def reference(schema: GraphQLSchema) -> str:
    """The whole page: the root fields, then all types by kind and name."""
    return "\n".join([HEAD, *_roots(schema), *_types(schema)])


def _roots(schema: GraphQLSchema) -> Iterator[str]:
    for name, title in ROOTS.items():
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        yield f"## {title}\n"
        for field_name, field in sorted(type_.fields.items()):
            yield f"### {field_name} {{ #{name}-{field_name} }}\n"
            yield f"{_paragraph(field.description)}\n"
            yield f"Answers {_shown(field)}.\n"
            if field.args:
                yield _table("Argument", field.args)


def _types(schema: GraphQLSchema) -> Iterator[str]:
    named = [
        type_
        for name, type_ in sorted(schema.type_map.items())
        if name not in ROOTS and not name.startswith("__") and not is_specified_scalar_type(type_)
    ]
    for title, kind in KINDS.items():
        yield f"## {title}\n"
        for type_ in named:
            if isinstance(type_, kind):
                yield f"### {type_.name} {{ #{type_.name} }}\n"
                yield f"{_paragraph(type_.description)}\n"
                yield _body(schema, type_)


def _body(schema: GraphQLSchema, type_: GraphQLNamedType) -> str:
    if isinstance(type_, GraphQLUnionType):
        return "\n".join(f"- {_link(each)}" for each in type_.types) + "\n"
    if isinstance(type_, GraphQLEnumType):
        rows = [f"| `{name}` | {_cell(value.description)} |" for name, value in type_.values.items()]
        return "\n".join(["| Value | Meaning |", "|---|---|", *rows]) + "\n"
    if isinstance(type_, GraphQLInterfaceType):
        possible = ", ".join(map(_link, schema.get_possible_types(type_)))
        return f"{_table('Field', type_.fields)}\nImplemented by {possible}.\n"
    if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
        return _table("Field", type_.fields)
    return ""


def _table(
    title: str, members: dict[str, GraphQLArgument] | dict[str, GraphQLField] | dict[str, GraphQLInputField]
) -> str:
    rows = [f"| `{name}` | {_shown(each)} | {_cell(each.description)} |" for name, each in members.items()]
    return "\n".join([f"| {title} | Type | Meaning |", "|---|---|---|", *rows]) + "\n"


def _shown(member: GraphQLArgument | GraphQLField | GraphQLInputField) -> str:
    """The type with a link to what is behind it, and the default value."""
    type_ = get_named_type(member.type)
    before, after = str(member.type).split(type_.name)
    default = getattr(member, "default_value", None)
    node = None if isinstance(member, GraphQLField) else ast_from_value(default, member.type)
    shown = f"{before}{_link(type_)}{after}".replace("[[", "\\[[") if before else f"{_link(type_)}{after}"
    has_default = node is not None and default is not None and "Undefined" not in str(default)
    return f"{shown} = `{print_ast(node)}`" if has_default and node is not None else shown


def _link(type_: GraphQLNamedType) -> str:
    return f"`{type_.name}`" if is_specified_scalar_type(type_) else f"[`{type_.name}`](#{type_.name})"


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str | None) -> str:
    return _paragraph(text).replace("|", "\\|")
