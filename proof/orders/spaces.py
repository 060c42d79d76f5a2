"""What is searched: QUICK in `make test`, SPACES with those that take longer.

Stands on situations.
"""

from proof.boards.tears import TEARS
from proof.orders.situations import (
    back_in_between,
    blank_in_between,
    blank_quorum,
    claim_breaks_off,
    claims,
    cold_start,
    isolated,
    lost_in_between,
    minority_claim,
    older_copy,
    other_chips,
    pauses,
    repair,
    replaced_in_duty,
    reset,
    returns,
    stand_down,
    stood_down,
    twice,
)

QUICK = {
    "cold start, 2 boards, 1 chip": cold_start(2, 1, crashes=1, tears=TEARS),
    "cold start, 2 boards, 2 chips": cold_start(2, 2, crashes=1),
    "returns, 2 boards, 1 chip": returns(2, 1, crashes=2, tears=TEARS),
    "returns, 2 boards, 2 chips": returns(2, 2, crashes=1, tears=TEARS),
    "returns, 2 boards, 3 chips": returns(2, 3, crashes=1),
    "returns, 2 boards, 2 chips, 2 wakes": returns(2, 2, twice),
    "returns, 3 boards, 1 chip": returns(3, 1),
    "claims, 3 nodes, 1 chip": claims(1, crashes=1),
    "claims, 3 nodes, 2 chips": claims(2),
    "claims, 3 nodes, 3 chips": claims(3, overtaken=1),
    "reset, 1 chip": reset(1),
    "stand down, 1 chip": stand_down(1, crashes=1),
    "stood down, 2 chips": stood_down(2),
    "repair": repair(overtaken=1),
    "blank in between": blank_in_between(overtaken=1),
    "lost in between, 2 chips": lost_in_between(2, overtaken=1),
    "lost in between, 3 chips": lost_in_between(3, overtaken=1),
    "back in between, 3 chips": back_in_between(3, overtaken=1),
    "other chips": other_chips(crashes=1),
    "minority claim": minority_claim(overtaken=1),
    "blank quorum": blank_quorum(overtaken=1),
    "older copy": older_copy(),
    "claim breaks off": claim_breaks_off(overtaken=1),
    "isolated": isolated(),
    "pauses, 1 chip": pauses(1, crashes=1),
    "pauses, 2 chips": pauses(2, overtaken=1),
    "cold start, 2 boards, 3 chips": cold_start(2, 3, crashes=1, overtaken=1),
    "replaced in its duty, 1 chip": replaced_in_duty(1),
    "replaced in its duty, 2 chips": replaced_in_duty(2, overtaken=1),
}

LONG = {
    "cold start, 2 boards, 3 chips, all": cold_start(2, 3, crashes=1),
    "cold start, 3 boards, 1 chip": cold_start(3, 1, crashes=1),
    "returns, 3 boards, 1 chip, crash": returns(3, 1, crashes=1),
    "returns, 3 boards, 2 chips": returns(3, 2),
    "returns, 3 boards, 3 chips": returns(3, 3, overtaken=2),
    "claims, 3 nodes, 3 chips, all": claims(3, crashes=1, tears=TEARS),
    "reset, 2 chips": reset(2, overtaken=2),
    "stand down, 2 chips": stand_down(2),
    "repair, all": repair(crashes=1, tears=TEARS),
    "blank in between, all": blank_in_between(),
    "lost in between, 2 chips, all": lost_in_between(2),
    "lost in between, 3 chips, all": lost_in_between(3),
    "back in between, 2 chips, all": back_in_between(2),
    "back in between, 3 chips, 2": back_in_between(3, overtaken=2),
    "minority claim, 2": minority_claim(overtaken=2),
    "claim breaks off, all": claim_breaks_off(),
    "blank quorum, all": blank_quorum(),
    "replaced in its duty, 2 chips, all": replaced_in_duty(2),
}
SPACES = dict(QUICK)
SPACES.update(LONG)
