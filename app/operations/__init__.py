"""What the business does: one verb a file, each owns its transaction."""
