"""The web client as the server serves it: the files that ``just install`` or the package's build put here."""
