"""The command `goodwill`: a file per command, each a composition root."""
