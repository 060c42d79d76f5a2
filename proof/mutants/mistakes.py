"""All planted mistakes. Stands on the lists of them."""

from proof.mutants.claims import CLAIMS
from proof.mutants.looks import LOOKS
from proof.mutants.quorums import QUORUMS
from proof.mutants.records import RECORDS

MISTAKES = (*CLAIMS, *LOOKS, *RECORDS, *QUORUMS)
