"""What the tests share: a real server process, a real replica set, people, their sockets, and awkward texts."""
