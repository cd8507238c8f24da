"""How the demo is told: in colours at a terminal, in plain lines elsewhere."""

from rich.console import Console
from rich.text import Text


class Story:
    """Scenes and what happens in them, each shown at once."""

    def __init__(self) -> None:
        """Tell it on standard output."""
        self._console = Console(highlight=False, soft_wrap=True)

    def scene(self, title: str) -> None:
        """Begin a scene."""
        self._console.print(Text(f"\n{title}", style="bold cyan"))

    def tell(self, what: str) -> None:
        """Say what happens."""
        self._console.print(Text(f"  {what}"))

    def says(self, who: str, text: str, outcome: str) -> None:
        """Say what a user wrote, and what the server answered."""
        self._console.print(
            Text.assemble("  ", (f"{who}: ", "bold magenta"), text, "  ", (f"({outcome})", "green")),
        )
