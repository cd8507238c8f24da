"""Prints the demo: in colours at a terminal, in plain lines elsewhere."""

from rich.console import Console
from rich.text import Text


class Story:
    """Scenes and their events. Each is printed at once."""

    def __init__(self) -> None:
        """Print to standard output."""
        self._console = Console(highlight=False, soft_wrap=True)

    def scene(self, title: str) -> None:
        """Print the title of a scene."""
        self._console.print(Text(f"\n{title}", style="bold cyan"))

    def tell(self, what: str) -> None:
        """Print an event."""
        self._console.print(Text(f"  {what}"))

    def says(self, who: str, text: str, outcome: str) -> None:
        """Print the message of a user, and the server's answer."""
        self._console.print(
            Text.assemble("  ", (f"{who}: ", "bold magenta"), text, "  ", (f"({outcome})", "green")),
        )
