"""The socket that serves: what is accepted from it answers in two pieces without waiting between them."""

import socket

from handlers.serving import listen


def test_a_small_answer_is_not_held_back_for_the_other_side() -> None:
    with listen(0, "127.0.0.1") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()

        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
