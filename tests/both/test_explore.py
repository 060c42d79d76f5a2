"""The search through every order of transfers, on spaces small enough for both interpreters; all
others are in tests/host/test_searches.py.
"""

import sys

from proof.boards.images import CPYTHON, Images, keyed
from proof.boards.machine import CRASH, Machine
from proof.boards.program import FIRST, WAKE, Program, Setup
from proof.boards.tears import TEARS
from proof.breach import Breach
from proof.judges.judge import Judge
from proof.orders.explorer import Explorer
from proof.orders.moves import BOARDS, CRASHES, IMAGE, TURN
from proof.orders.situations import (
    claims,
    cold_start,
    lost_in_between,
    older_copy,
    once,
    replaced_in_duty,
    returns,
    silent_primary,
)
from proof.orders.space import Space

from support import raises


def explored(space):
    explorer = Explorer(space)
    assert explorer.run()
    assert explorer.states > 30
    return explorer


def test_cold_start_with_a_crash():
    explored(cold_start(2, 1, crashes=1))


def test_an_old_primary_returns_while_it_is_replaced_with_crashes_and_torn_pages():
    explored(returns(2, 1, crashes=1, tears=TEARS))


def test_two_chips():
    explored(returns(2, 2, overtaken=1))


def test_two_claims_at_once():
    explored(claims(1, crashes=1))


def test_a_token_in_an_older_copy():
    explored(older_copy())


def test_a_primary_is_replaced_in_its_duty():
    explored(replaced_in_duty(1))


# Is the search right?


class Forgetful:
    """Never knows that two ways to a call lead to the same knowledge."""

    def setdefault(self, _key, number):
        return number


def every_step(explorer):
    """Judge everything without any reduction: at each step any board makes its next transfer, or
    loses its supply there, or something happens to a chip. How many states there are.
    """
    space = explorer.space
    states = [explorer.start]
    seen = {keyed(explorer.start)}
    for state in states:
        followers = []
        places = [explorer.machines[b].places[state[BOARDS + 2 * b]] for b in explorer.boards]
        ways = [[(None,) + state[BOARDS + 2 * b : BOARDS + 2 * b + 2]] for b in explorer.boards]
        for b in explorer.boards:
            if places[b].request is not None:
                followers.append(explorer.step([], state, b)[1])
                if state[CRASHES] < space.crashes:
                    if places[b].request[3] is not None:
                        followers += [after for _, after in explorer.crash([], state, b)]
                    else:
                        followers.append(explorer.answered(state, b, CRASH, state[IMAGE]))
        if state[TURN] < len(space.outside):
            followers.append(explorer.outside(state, ways)[0][1])
        if not followers:
            explorer.end(state, ways)
        for after in followers:
            key = keyed(after)
            if key not in seen:
                seen.add(key)
                states.append(after)
    return len(states)


def same_as_every_step(space):
    """The same contents at the end, and what follows from them judged for the same boards."""
    explorer = explored(space)
    all_steps = Explorer(space)
    for machine in all_steps.machines:
        machine.calls = Forgetful()
    states = every_step(all_steps)
    assert contents(explorer, {image for image, _ in explorer.ends}) == contents(
        all_steps, {image for image, _ in all_steps.ends}
    )
    assert judged(explorer) == judged(all_steps)
    if not space.crashes:  # else a board may be gone before it is confirmed, which judges less
        assert judged(explorer, True) == judged(all_steps, True)
    assert len(explorer.ends) > 1
    assert states > 3 * explorer.states


def contents(explorer, images):
    """What the pages hold in these images, sorted: numbers of images are each search's own."""
    pages = explorer.images.pages
    return sorted([[pages[page] for page in explorer.images.tuples[image]] for image in images])


def judged(explorer, tokens=False):
    """For which contents, boards and chips (and tokens) it was judged what follows."""
    found = sorted(
        [
            (contents(explorer, [image]), list(nodes), str(reach), tokens and highest)
            for image, nodes, reach, highest in explorer.recovery.settled
        ]
    )
    return [one for n, one in enumerate(found) if not n or one != found[n - 1]]


def test_reading_late_leaves_nothing_out():
    same_as_every_step(returns(2, 1))


def test_reading_late_leaves_nothing_out_of_crashes():
    if sys.implementation.name == "micropython":
        return  # every single step of this one takes more than a gigabyte of its heap
    same_as_every_step(cold_start(2, 1, crashes=1))


def test_reading_late_leaves_nothing_out_of_tears():
    same_as_every_step(returns(2, 1, crashes=1, tears=TEARS))


def test_reading_late_leaves_nothing_out_of_three_boards():
    same_as_every_step(claims(1, crashes=1))


def test_reading_late_leaves_nothing_out_when_a_chip_is_lost():
    if not CPYTHON:
        return  # too many states for dicts whose hashes have 16 bits
    same_as_every_step(lost_in_between(1, nodes=(1,)))


def test_what_a_board_knows_is_all_in_its_objects():
    """With one place for all ways to the same knowledge a search finds the same, only sooner."""
    for space in (returns(2, 1, crashes=1), returns(2, 2, overtaken=1), claims(1)):
        merged = explored(space)
        apart = Explorer(space)
        for machine in apart.machines:
            machine.calls = Forgetful()
        assert apart.run()
        assert judged(apart) == judged(merged)
        assert apart.states > merged.states


def cut():
    """Two boards of a cluster that asks for no majority, and each reaches other chips."""
    setup = Setup(2, 3, quorum="available")
    reach = {0: 0b001, 1: 0b110}
    return Space(setup, silent_primary(2), once(0, 1), reach=reach)


def breach_in(space):
    try:
        Explorer(space).run()
    except Breach as breach:
        return breach
    raise AssertionError("no breach")


def test_a_breach_is_found_and_replayed():
    breach = breach_in(cut())
    assert str(breach) == "I2: node 0 confirms token 15 after 22"
    assert len(breach.moves) < 10
    lines = []
    with raises(Breach, "I2: node 0 confirms token 15 after 22"):
        Explorer(cut()).replay(breach.moves, lines.append)
    assert "node 1 is confirmed with token 22" in lines


def test_the_limit_says_that_there_is_more():
    assert not Explorer(returns(2, 1)).run(limit=10)


# Boards as machines


def test_a_machine_goes_back_and_on():
    setup = Setup(1, 1)
    images = Images(setup)
    machine = Machine(Program(setup, 0, (WAKE,)))
    k, at, count, data = machine.places[0].request
    assert (k, at, data) == (0, 0, None)
    blank = machine.go(0, images.read(images.blank, k, at, count))
    gone = machine.go(0, None)
    assert blank != gone
    assert machine.go(0, None) == gone
    assert machine.places[gone].request == machine.places[0].request  # it tries again
    assert machine.replays == 3


def test_a_crash_ends_the_wake_and_the_next_one_knows_nothing_of_it():
    setup = Setup(1, 1)
    machine = Machine(Program(setup, 0, (WAKE, WAKE)))
    second = machine.go(0, CRASH)
    assert machine.places[second].request == machine.places[0].request
    assert not machine.places[second].crashed
    end = machine.go(second, CRASH)
    assert machine.places[end].request is None
    assert machine.places[end].crashed
    assert machine.places[0].first


def test_addresses():
    requests = []

    def transfer(k, at, count, data):
        requests.append(k)

    Program(Setup(2, 3), 0, (WAKE,)).run(transfer, lambda kind, value: None)
    assert sorted(set(requests)) == [0, 1, 2]
    assert FIRST == 0x50


# Does the judge bite?


def judge():
    setup = Setup(2, 2)
    images = Images(setup)
    return Judge(setup, images), images


def record_of(explorer, node):
    """What that node wrote to the first page of its own that is not blank: (at, bytes)."""
    form = explorer.setup.format
    image = explorer.start[IMAGE]
    at = form.address(node, 0)
    return at, explorer.images.read(image, 0, at, form.slot_size)


def test_the_judge_knows_whose_page_it_is():
    explorer = Explorer(returns(2, 2))
    image = explorer.start[IMAGE]
    at, data = record_of(explorer, 1)
    explorer.judge.write(image, 1, 0, at, data)
    with raises(Breach, "I4: node 0 writes byte 192 of EEPROM 0"):
        explorer.judge.write(image, 0, 0, at, data)
    with raises(Breach, "not valid"):
        explorer.judge.write(image, 1, 1, at, data)  # it says: EEPROM 0
    with raises(Breach, "not valid"):
        explorer.judge.write(image, 1, 0, at, data[:-1] + b"\x55")


def test_the_judge_knows_whose_token_it_is():
    explorer = Explorer(returns(2, 2))
    form = explorer.setup.format
    image = explorer.start[IMAGE]
    at, data = record_of(explorer, 1)
    chip = bytearray(form.end)
    good, others, too_far, unknown, older = 22, 23, 30, 13, 14
    for token in (good, others, too_far, unknown, older):
        chip[at : at + len(data)] = data
        form.patch(chip, 0, 1, 0, token=token)
        written = bytes(chip[at : at + len(data)])
        if token == good:
            explorer.judge.write(image, 1, 0, at, written)
        else:
            with raises(Breach, "I1: node 1 writes token %d after 15" % token):
                explorer.judge.write(image, 1, 0, at, written)


def test_the_judge_of_labels():
    watch, images = judge()
    setup = Setup(2, 2)
    explorer = Explorer(returns(2, 2))
    label = explorer.images.read(explorer.start[IMAGE], 1, 0, 20)
    assert setup.format.label_is_good(label + bytes(44), 1)
    watch.write(images.blank, 0, 1, 0, label)
    with raises(Breach, "I4: node 0 writes label"):
        watch.write(images.blank, 0, 0, 0, label)  # of the other EEPROM
    with raises(Breach, "I4: node 0 writes label"):
        watch.write(images.write(images.blank, 1, 0, label), 0, 1, 4, b"\x02")


def test_the_judge_of_confirmations():
    watch, _ = judge()
    watch.confirmed(0, 15, 15)
    with raises(Breach, "I2: node 0 confirms token 15 after 22"):
        watch.confirmed(0, 15, 22)
    with raises(Breach, "I1: node 1 acts with token 15"):
        watch.confirmed(1, 15, 0)
