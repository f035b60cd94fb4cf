"""Keys and AES-GCM: what keeps personal data sealed. No database."""
