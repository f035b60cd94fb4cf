"""`goodwill import`: rows of a file become interactions, and go the way of every posting."""
