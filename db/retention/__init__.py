"""What is taken out of the database when it is old: the history before a moment, and trees that have ended."""
