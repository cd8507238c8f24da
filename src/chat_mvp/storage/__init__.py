"""Everything that is kept: the only package that imports the database drivers.

Ids are ``str`` outside this package; documents never leave it, typed records do (``records.py``). Users, sessions and
contacts are read and written through their Beanie documents; conversations, memberships, messages and the queue, which
the send path touches, through PyMongo's asynchronous client and plain documents. Each module says which.
"""
