"""A model in a process of its own, which can be stopped when it hangs."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from symscape.crystal.structures import Structures
from symscape.errors import ModelError, SymscapeError
from symscape.models.answers import ModelTimeout, is_out_of_memory, reason
from symscape.models.base import EnergyModel, Prediction

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


class ModelWorker:
    """Asks a model that runs in another process, with a limit on the time for one structure.

    The process is started at the first question, stopped when it takes too long, and started
    anew, with the weights loaded again, at the next question.

    Parameters
    ----------
    model
        Sent to the process unloaded; see `EnergyModel.unloaded`.
    seconds
        Limit for one structure; a batch gets as many times that as it has structures. Loading
        the weights is not counted.
    """

    def __init__(self, model: EnergyModel, seconds: float):
        self.model = model
        self.seconds = seconds
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def predict(self, batch: Structures, forces: bool, stresses: bool) -> Prediction:
        """Evaluate a batch over there.

        Raises
        ------
        ModelTimeout
            If it takes too long.
        ModelError
            If the process dies, or the model can't be loaded.
        ModelFailure
            If the model raised something.
        MemoryError
            If it ran out of memory.
        """
        connection = self._start()
        limit = self.seconds * len(batch)
        try:
            connection.send((batch, forces, stresses))
            if not connection.poll(limit):
                self.stop()
                raise ModelTimeout(f"the model took longer than {limit:g} s")
            kind, answer = connection.recv()
        except (EOFError, OSError) as error:
            code = self._exit_code()
            raise ModelError(f"the process that ran the model died (exit code {code})") from error
        except KeyboardInterrupt:
            # its answer would be taken for that to the next question
            self.stop()
            raise
        if kind == "prediction":
            return answer
        if kind == "memory":
            raise MemoryError(answer)
        raise ModelFailure(answer)

    def _start(self) -> Connection:
        """Start the process if there is none and wait until the model is loaded."""
        if self._connection is not None:
            return self._connection
        # fork would copy torch's and OpenMP's state in the middle of things
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, self.model.unloaded()), daemon=True
        )
        self._process.start()
        there.close()
        self._connection = here
        try:
            failure = here.recv()
        except EOFError as error:
            code = self._exit_code()
            raise ModelError(
                f"The process that was to run {self.model.card.name} died while it loaded the "
                f"model (exit code {code})."
            ) from error
        if failure is not None:
            self.stop()
            raise ModelError(failure)
        return here

    def load(self) -> None:
        """Start the process and wait until the model is loaded there."""
        self._start()

    def _exit_code(self) -> int | None:
        process = self._process
        if process is not None:
            process.join(5)
        code = process.exitcode if process is not None else None
        self.stop()
        return code

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._connection = self._process = None


class ModelFailure(SymscapeError):
    """What a model raised in its own process, as one line."""


def _serve(connection: Connection, model: EnergyModel) -> None:
    """Load the model, then answer questions until the other side hangs up."""
    # an interrupt on the terminal goes to every process; the other side decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        model.load()
    except Exception as error:
        connection.send(reason(error))
        return
    connection.send(None)
    while True:
        try:
            batch, forces, stresses = connection.recv()
        except EOFError:
            return
        try:
            answer = model.predict_batch(batch, forces=forces, stresses=stresses)
        except Exception as error:
            kind = "memory" if is_out_of_memory(error) else "failure"
            connection.send((kind, reason(error)))
        else:
            connection.send(("prediction", answer))
