"""A shuffle that is computed, not stored: place i of a permutation of n in constant time and memory.

A four-round Feistel network over the next power of four, walked until it falls below n (Black and Rogaway 2002,
"Ciphers with arbitrary finite domains"). Every (seed, source, epoch) is another permutation.
"""

from __future__ import annotations

MASK = (1 << 64) - 1
ROUNDS = 4


def mixed(*words: int) -> int:
    """64 well-mixed bits of some integers (splitmix64's finaliser over their chain)."""
    state = 0x9E3779B97F4A7C15
    for word in words:
        state = (state + word + 0x9E3779B97F4A7C15) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return state


def shuffled(place: int, count: int, *key: int) -> int:
    """What stands at `place` of the permutation of `range(count)` that `key` names."""
    if not 0 <= place < count:
        raise IndexError(f"place {place} of {count}")
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    low = (1 << half) - 1
    keys = [mixed(*key, k) for k in range(ROUNDS)]
    while True:
        left, right = place >> half, place & low
        for k in keys:
            left, right = right, left ^ (mixed(k, right) & low)
        place = (left << half) | right
        if place < count:
            return place
