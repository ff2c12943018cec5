"""The API is a contract: what the server shows keeps to it, and a change of it shows as a diff."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)
from strawberry.printer import print_schema

from schema.schema import build_schema as build_ours

# Through its text, so that both sides are built in the same way.
OURS = build_schema(print_schema(build_ours()))
DATA = Path(__file__).parents[1] / "data"
CONTRACT = build_schema((DATA / "contract.graphql").read_text())
EXPORTED = Path(__file__).parents[2] / "schema" / "schema.graphql"


def named_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    }


def signature(type_: GraphQLNamedType) -> dict[str, str]:
    """Every member of a type as text: its type and, for arguments and inputs, its default."""

    def given(value: GraphQLArgument | GraphQLInputField) -> str:
        assert value.ast_node is not None
        default = value.ast_node.default_value
        return f"{value.type} = {print_ast(default) if default else None}"

    if isinstance(type_, GraphQLEnumType):
        return dict.fromkeys(type_.values, "value")
    if isinstance(type_, GraphQLUnionType):
        return {member.name: "member" for member in type_.types}
    if isinstance(type_, GraphQLInputObjectType):
        return {name: given(field) for name, field in type_.fields.items()}
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return {}
    members = {name: str(field.type) for name, field in type_.fields.items()}
    for name, field in type_.fields.items():
        for argument_name, argument in field.args.items():
            members[f"{name}({argument_name})"] = given(argument)
    return members


def missing_members() -> Iterator[str]:
    """What the contract has and the server has not: types, and members of types that it has."""
    ours = named_types(OURS)
    for name, type_ in named_types(CONTRACT).items():
        if name not in ours:
            yield name
        else:
            yield from (
                f"{name}.{member}" for member in signature(type_).keys() - signature(ours[name]).keys()
            )


def test_every_type_and_member_that_the_server_shows_is_the_contracts() -> None:
    contract = named_types(CONTRACT)
    for name, type_ in named_types(OURS).items():
        assert name in contract, f"{name} is not in the contract"
        assert type(type_) is type(contract[name])
        agreed = signature(contract[name])
        for member, shown in signature(type_).items():
            assert agreed.get(member) == shown, f"{name}.{member} is {shown}, agreed is {agreed.get(member)}"


def test_every_type_implements_the_interfaces_of_the_contract() -> None:
    for name, type_ in named_types(OURS).items():
        if isinstance(type_, GraphQLObjectType):
            agreed = CONTRACT.get_type(name)
            assert isinstance(agreed, GraphQLObjectType)
            assert {each.name for each in type_.interfaces} == {each.name for each in agreed.interfaces}


def test_the_server_has_all_that_the_contract_has() -> None:
    assert sorted(missing_members()) == []


def test_the_exported_schema_is_the_servers() -> None:
    assert EXPORTED.read_text() == print_schema(build_ours()) + "\n"
