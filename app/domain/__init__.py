"""The rules, pure: no clock, no chance, no database, no network."""
