"""The program with cheap password hashes: ``python -m tests.support.quick_hashes serve …``.

A real hash takes a quarter of a second of processor time, and nearly every test registers people. What a hash costs,
and what many of them do to a server, is tested with the real ones: tests/unit/security/test_passwords.py,
tests/contract/test_guessing.py, and every test that starts a server without the fixtures of tests/conftest.py.
"""

from dataclasses import replace

from argon2 import profiles

from chat_mvp.__main__ import main

if __name__ == "__main__":
    # The program reads this when it loads its own modules, which ``main`` does.
    cheap = replace(profiles.RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=8, parallelism=1)
    profiles.RFC_9106_LOW_MEMORY = cheap
    main()
