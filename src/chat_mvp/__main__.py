"""``python -m chat_mvp`` is ``chat-mvp``."""

from chat_mvp.cli.main import main

main()
