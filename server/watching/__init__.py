"""`stepgraph watch`: one tree in a terminal, by the API only. Nothing here reads the database."""
