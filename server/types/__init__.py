"""What `stepgraph types` prints: a version's context and step outputs as types of TypeScript or Python."""
