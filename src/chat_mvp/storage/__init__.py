"""All access to the database. No other package imports the database drivers.

Ids are ``str`` outside this package. Documents never leave it: callers get typed records (``records.py``). Users,
sessions and contacts are read and written through their Beanie documents. Conversations, memberships, messages and the
queue, which the send path uses, go through PyMongo's asynchronous client as plain documents. Each module says which.
"""
