"""Boards whose every transfer is a step, and chips whose contents are numbers.

What the searches of every order and of every crash share: the shipped `Cluster`, run on an I2C
object that they answer, and what a wake leaves on the chips. Who judges is handed in.

    images         contents of chips, each once and by number
    canonical      one image for all that say the same
    tears          what a page may hold after a write that broke off
    program        a cluster's setup, and what a board does in its wakes
    machine        a board as a machine: what it does next follows from what it has read
    undisturbed    boards that wake one after the other

Runs on CPython and on MicroPython. Stands on breach and decode.
"""
