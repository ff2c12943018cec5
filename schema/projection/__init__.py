"""From a selection set to one SQL statement that builds its JSON.

`declare` says where a field lives, `compiler` turns a selection into a statement, `postgresql` and `sqlite` spell it,
`paging` makes connections, `executor` hooks all this into graphql-core.
"""
