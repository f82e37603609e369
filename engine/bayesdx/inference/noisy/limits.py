"""What one case may cost, whoever answers it; a case beyond it is `TOO_COMPLEX`.

The limits are on the structure of a case alone, and one function applies them
(`bayesdx.inference.noisy.lockstep.plan.searched`): each executor answers what is cheap in its own
order, and hands what is not to that function.
"""

#: Slots of a case are bits of one word.
MAX_AXES = 64

#: log2 of the largest frontier that is held (8 bytes a component; a few are held at once).
MAX_LOG2_FRONTIER = 23.5

#: log2 of the frontier components summed over causes: some ten seconds of NumPy.
MAX_LOG2_WORK = 28.0

#: log2 of the largest frontier of the compiled sweep before a better order is searched.
EASY_LOG2_FRONTIER = 18.0
