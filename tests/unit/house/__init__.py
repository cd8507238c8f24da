"""Rules for the code as functions: each takes files and returns one complaint for each breach, or an empty list.

`tests/unit/test_house.py` holds the project to them; `tests/unit/test_house_checks.py` shows that each can fail.
"""
