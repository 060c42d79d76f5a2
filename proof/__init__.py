"""The proof of the protocol on the shipped code: every interleaving, every crash, years of it."""
