"""Durable truth: tables, sessions, one transaction per command, the journal. Knows nothing of GraphQL or sockets."""
