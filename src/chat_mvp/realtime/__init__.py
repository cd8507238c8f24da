"""Live connections: who has one, what waits to leave on it, what it may do, and who is there.

``session.py`` is the state of one connection, without any socket; ``socket.py`` alone touches sockets.
"""
