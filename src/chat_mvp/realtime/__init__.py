"""Live connections: which users are connected, which frames wait, what a connection may do, and presence.

``session.py`` is the state of one connection, without a socket. Only ``socket.py`` touches sockets.
"""
