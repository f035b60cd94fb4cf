"""What may be written: verbs on nouns that take the transaction first."""
