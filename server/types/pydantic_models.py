"""A program: from a JSON Schema on standard input to Pydantic models of its `$defs` on standard output.

A process of its own, so that it can be stopped; nothing else imports the library, which is an extra.
"""

import sys
import warnings

from datamodel_code_generator import InputFileType, LiteralType, generate
from datamodel_code_generator.enums import DataModelType, StrictTypes
from datamodel_code_generator.format import PythonVersion

# What is printed imports these: a field of the same name would hide them from the types beside it.
_IMPORTED = ("Annotated", "Any", "BaseModel", "ConfigDict", "Field", "Literal", "RootModel")
_BUILTIN = ("bool", "dict", "float", "int", "list", "str", "tuple")


def models_of(schema: str) -> str:
    """The models of a schema's definitions. Raises what the library raises."""
    models = generate(
        schema,
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        skip_root_model=True,
        # Every reference leads to `$defs` of the same schema: no file and no address is ever read.
        allow_remote_refs=False,
        strict_refs=True,
        target_python_version=PythonVersion.PY_311,
        formatters=[],
        custom_file_header="# Models",
        use_annotated=True,
        enum_field_as_literal=LiteralType.All,
        use_tuple_for_fixed_items=True,
        # A number is no text and a text no number, as in JSON; `int` stays lax, since JSON Schema takes 1.0 for one.
        strict_types=[StrictTypes.str, StrictTypes.bool, StrictTypes.float],
        aliases={name: f"{name}_" for name in (*_IMPORTED, *_BUILTIN)},
        allow_population_by_field_name=True,
    )
    return str(models).partition("\n")[2].strip() + "\n"


if __name__ == "__main__":
    # They are the library's, to whoever chooses its options.
    warnings.simplefilter("ignore")
    sys.stdout.write(models_of(sys.stdin.read()))
