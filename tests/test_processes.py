"""Work in several processes: each call is made once, and however it ends, cleanly."""

import multiprocessing
import os
import signal

import pytest

from npsoftmax import processes


def square(given, number, send):
    send(("began", number))
    return given + number**2


def fail_at_2(given, number, send):
    if number == 2:
        raise ValueError("two")
    return number


def leave(given, number, send):
    os._exit(1)


def interrupt_parent(given, number, send):
    os.kill(os.getppid(), signal.SIGINT)
    while True:
        pass


def threads(given, send):
    return {name: os.environ.get(name) for name in processes.ONE_THREAD}


def test_every_call_is_made_once_and_its_messages_come_in_order():
    tasks = [(number,) for number in range(4)]
    messages = list(processes.run(square, 10, tasks, jobs=2))
    assert len(messages) == 8
    for task, (number,) in enumerate(tasks):
        of_task = [message for message in messages if message.task == task]
        assert of_task == [
            (task, "sent", ("began", number)),
            (task, "returned", 10 + number**2),
        ]


def test_an_error_is_handed_on_and_the_others_go_on():
    messages = list(processes.run(fail_at_2, None, [(n,) for n in range(4)], 1))
    assert [message.kind for message in messages] == [
        "returned", "returned", "raised", "returned",
    ]  # fmt: skip
    assert str(messages[2].value) == "two"


def test_a_process_that_ends_by_itself_is_an_error():
    with pytest.raises(ChildProcessError, match="ended before its work was done"):
        list(processes.run(leave, None, [(0,)], 1))


def test_ctrl_c_reaches_this_process_and_the_others_are_ended():
    messages = processes.run(interrupt_parent, None, [(0,)], 1)
    with pytest.raises(KeyboardInterrupt):
        next(messages)
    assert children() == []


def test_closing_ends_the_processes():
    messages = processes.run(square, 0, [(0,), (1,)], 1)
    next(messages)
    messages.close()
    assert children() == []


def test_each_process_has_one_thread_and_ours_is_left_as_it_was():
    before = dict(os.environ)
    [(_, _, seen)] = processes.run(threads, None, [()], jobs=3)
    assert set(seen.values()) == {"1"}
    assert dict(os.environ) == before


def test_no_calls_need_no_process():
    assert list(processes.run(square, 0, [], 3)) == []


def children():
    return multiprocessing.active_children()
