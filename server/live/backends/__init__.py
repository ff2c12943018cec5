"""Backends behind `broadcaster.Broadcast(backend=…)`: what carries messages, not when to reconnect."""
