"""What is said of an account, in the languages spoken here: one file each."""
