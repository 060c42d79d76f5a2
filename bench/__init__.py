"""What a wake costs: bus time, memory, instructions, size. `make bench`; the gates are in tests."""
