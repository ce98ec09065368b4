"""The commands of `satflow`, one module each."""
