"""Work for processes of their own, which import it by its name."""

from __future__ import annotations

import os


def where(number):
    """The number and the process that was asked."""
    return number, os.getpid()


def square_or_die(here, number):
    """The square; in another process than ``here`` one number kills it."""
    if number == 3 and os.getpid() != here:
        os._exit(1)
    return number**2


def refuse(number):
    if number == 2:
        raise OSError("the disk is full")
    return number
