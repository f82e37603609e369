"""What one case may cost, whoever answers it.

A case beyond the limits is divided into a few that are not (`splitting.py`); where that is not
enough, it is `TOO_COMPLEX`.

The limits are on the structure of a case alone: on the order that an executor finds, NumPy's by
`bayesdx.inference.noisy.lockstep.join_order`, the compiled one by `jit/tree_order.py`. So either
may answer a case near the limits that the other one refuses.
"""

#: Slots of a case are bits of one word.
MAX_AXES = 64

#: NumPy's limits. log2 of the components of the largest table of a case (8 bytes each; a dozen are
#: held).
MAX_LOG2_TABLE = 22.6

#: log2 of the components of all tables that are kept for the way back.
MAX_LOG2_HELD = 25.0

#: log2 of the components written, over all passes over tables: some ten seconds of NumPy.
MAX_LOG2_WORK = 31.0

#: log2 of the largest frontier of the compiled sweep; what needs more is a tree of tables, with the
#: limits of `jit/tree_buckets.py`.
EASY_LOG2_FRONTIER = 18.0

#: Work of such a tree above which a case is too complex: some ten seconds; and above which it is
#: divided first (some 25 ms): parts that lack what couples most are less work than the whole. Of
#: 3,000 filled forms, the ten that took 70 to 814 ms took 43 to 153 in eight parts.
#: Eighteen that took 117 ms in the mean, divided from 2**24 on, took 90, 91 and 139 from 2**23,
#: 2**22 and 2**21 on.
MOST_WORK, EASY_WORK = 1 << 31, 1 << 23
