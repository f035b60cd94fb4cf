"""What may be asked: read-only SQL that returns domain values."""
