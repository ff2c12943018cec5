"""What has an id."""

import strawberry


@strawberry.interface(description="An object with a globally unique id; the id's prefix says its type.")
class Node:
    id: strawberry.ID = strawberry.field(description="A TypeID, such as `exec_01m89ke0fte1m9hverf5hxdyms`.")
