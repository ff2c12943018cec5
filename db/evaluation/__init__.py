"""Which process evaluates an expression: this one, or a worker with a deadline (`runtime.md` X3). Knows no database."""
