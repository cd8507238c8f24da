"""The web client as the server gives it out: the files that ``just install`` or the package's build put here."""
