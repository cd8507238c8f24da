"""The program: ``chat-mvp``, or ``python -m chat_mvp``."""

from chat_mvp.early_signals import end_on_signals


def main() -> None:
    """Run the command that the arguments name."""
    end_on_signals()
    from chat_mvp.cli.main import main as run  # noqa: PLC0415 - loading it takes long enough to press Ctrl-C

    run()


if __name__ == "__main__":
    main()
