"""The piece of psi that an angle lies on is the one whose formula gives psi there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from npsoftmax import textbook
from npsoftmax.piece import piece_at

margins, angles = st.integers(1, 12), st.floats(0, 180)


@given(margins, angles)
def test_the_piece_of_an_angle_is_the_page_s_but_on_a_knot(m, degrees):
    piece = piece_at(degrees, m)
    theirs = textbook.piece(np.radians(degrees), m)
    assert piece.first <= degrees + 1e-6
    assert degrees <= piece.last + 1e-6
    assert piece.k == theirs or (piece.knot and abs(piece.k - theirs) == 1)


@given(margins.flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m))))
def test_a_knot_begins_a_piece_and_180_degrees_end_the_last(which):
    m, j = which
    piece = piece_at(180 * j / m, m)
    assert piece.k == min(j, m - 1)
    assert piece.knot == (j if 0 < j < m else 0)
    assert ("is the knot" in piece.why()) == bool(piece.knot)


@given(margins, angles)
def test_a_piece_that_is_known_is_not_looked_for(m, degrees):
    assert all(piece_at(degrees, m, k).k == k for k in range(m))


def test_the_words_name_the_piece_and_its_ends():
    assert str(piece_at(150, 4)) == "piece k = 3, 135 to 180 degrees"
    assert str(piece_at(70, 3)) == "piece k = 1, 60 to 120 degrees"
    assert "m = 1 has one piece" in piece_at(20, 1).why()
