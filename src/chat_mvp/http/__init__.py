"""What every HTTP route shares: problem documents, strict bodies, callers, pages, the interface's description."""
