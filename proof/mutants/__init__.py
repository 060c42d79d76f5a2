"""Planted mistakes. Do the checks bite? The library with one mistake in it, to run searches on.

mistake                           what is known of one
claims, looks, records, quorums   all of them, by what they are about
mistakes                          the whole list
mutant                            the library with one of them in it, and what runs on it

python -m proof.mutants                        lists the mistakes
python -m proof.mutants NAME                   shows the patch
python -m proof.mutants NAME -- COMMAND...     runs a command with the mutated library

python -m proof.mutants no-crc -- pytest tests/both
python -m proof.mutants no-crc -- python -m proof.search "returns, 2 boards, 1 chip"
"""
