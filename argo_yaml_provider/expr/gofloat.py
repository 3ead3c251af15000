"""Powers as Go computes them on amd64, to the last digit, which is not always that of the C library.

In: floats.  Out: a float; infinite or no number where IEEE says so.
Must not know: expressions. Go: math/pow.go, math/exp_amd64.s (after sleef, public domain), math/log.go (after FreeBSD's).
"""

from __future__ import annotations

import math
from fractions import Fraction

_LOG2E = 1.4426950408889634
_LN2_UPPER, _LN2_LOWER = 0.69314718055966295651160180568695068359375, 0.28235290563031577122588448175013436025525412068e-12
_TAYLOR = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_L = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip


def power(base: float, exponent: float) -> float:
    """Go's math.Pow."""
    try:
        plain = math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:  # 0 to a negative power, or a root of a negative number
        if base == 0:
            return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf
        return math.nan
    if not plain or not math.isfinite(plain) or exponent in (0, 1) or base == 1:
        return plain
    if abs(exponent) == 0.5:
        return math.sqrt(base) if exponent > 0 else 1 / math.sqrt(base)
    return _squared_up(base, exponent)


def _squared_up(base: float, exponent: float) -> float:
    """Repeated squaring of the mantissa, and the exponential function for what is behind the exponent's point."""
    fraction, whole = math.modf(abs(exponent))
    result, scale = 1.0, 0
    if fraction:
        if fraction > 0.5:
            fraction, whole = fraction - 1, whole + 1
        result = _exp(fraction * _log(base))
    mantissa, shift = math.frexp(base)
    count = int(whole)
    while count:
        if count & 1:
            result, scale = result * mantissa, scale + shift
        mantissa, shift, count = mantissa * mantissa, shift * 2, count >> 1
        if mantissa < 0.5:
            mantissa, shift = mantissa * 2, shift - 1
    if exponent < 0:
        result, scale = 1 / result, -scale
    try:
        return math.ldexp(result, scale)
    except OverflowError:
        return math.copysign(math.inf, result)


def _fused(first: float, second: float, added: float) -> float:
    """First * second + added, rounded once."""
    return float(Fraction(first) * Fraction(second) + Fraction(added))


def _exp(value: float) -> float:
    if not -700 < value < 700:
        return math.exp(value)
    count = round(_LOG2E * value)
    rest = _fused(-float(count), _LN2_UPPER, value)
    rest = _fused(-float(count), _LN2_LOWER, rest) * 0.0625
    series = 1 / 40320
    for term in _TAYLOR:
        series = _fused(series, rest, term)
    rest *= series
    for _ in range(3):
        rest *= rest + 2.0
    return math.ldexp(_fused(rest, rest + 2.0, 1.0), count)


def _log(value: float) -> float:
    mantissa, exponent = math.frexp(value)
    if mantissa < math.sqrt(2) / 2:
        mantissa, exponent = mantissa * 2, exponent - 1
    f = mantissa - 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = s2 * (_L[0] + s4 * (_L[2] + s4 * (_L[4] + s4 * _L[6])))
    even = s4 * (_L[1] + s4 * (_L[3] + s4 * _L[5]))
    half = 0.5 * f * f
    return exponent * _LN2_HIGH - ((half - (s * (half + (odd + even)) + exponent * _LN2_LOW)) - f)
