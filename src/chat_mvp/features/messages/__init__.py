"""Messages: sending, editing, deleting, reacting, marking as delivered and read, and reading the history."""
