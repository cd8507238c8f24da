"""Groups keep the order, stay within the limit, and lose nothing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.delivery.grouping import grouped


@given(st.lists(st.integers(0, 12)), st.integers(1, 10))
def test_groups_are_as_large_as_allowed(sizes: list[int], at_most: int) -> None:
    groups = list(grouped(sizes, lambda size: size, at_most=at_most))
    assert [size for group in groups for size in group] == sizes
    assert all(sum(group) <= at_most or len(group) == 1 for group in groups)
    assert all(sum(group) + following[0] > at_most for group, following in pairwise(groups))
