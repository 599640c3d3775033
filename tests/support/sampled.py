"""What a sample keeps, written out from MET.12: to judge samples by."""

import math
from collections.abc import Mapping


def bucket_bits(first: int, last: int, most: int) -> int:
    """The least power of two of which at most so many multiples begin a bucket from the first to the last step."""
    return next(bits for bits in range(64) if (last >> bits) - (first >> bits) < most)


def sampled_steps(points: Mapping[int, float], max_points: int) -> list[int]:
    """The steps that a sample of so many points keeps."""
    steps = sorted(points)
    if len(steps) <= max_points:
        return steps
    bits = bucket_bits(steps[0], steps[-1], (max_points - 2) // 2)
    buckets: dict[int, list[int]] = {}
    for step in steps:
        buckets.setdefault(step >> bits, []).append(step)
    kept = {steps[0], steps[-1]}
    for inside in buckets.values():
        finite = [step for step in inside if math.isfinite(points[step])]
        if finite:
            kept |= {min(finite, key=lambda step: (points[step], step))}
            kept |= {min(finite, key=lambda step: (-points[step], step))}
        else:
            kept.add(inside[0])
    return sorted(kept)
