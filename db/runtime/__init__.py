"""The pure runtime: what an execution is and how it moves. No SQL, no clock, no ids made inside."""
