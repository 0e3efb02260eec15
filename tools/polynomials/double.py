"""The coefficients for float64 in src/engine/loop/math/coefficients.ts.

Each is the polynomial through the Chebyshev points of its interval (mpmath's chebyfit), of the least degree whose largest
error, as a share of the function's value, is below 2⁻⁵⁷. Needs mpmath. Prints the coefficients, highest power first.
"""

from mpmath import mp, mpf, exp, log, sin, cos, sinh, asin, atan, atanh, erf, erfc, sqrt, pi, chebyfit, polyval

mp.dps = 60
SERIES = mpf("1e-12")  # below this the quotients are their limits


def quotient(numerator, power, limit):
    return lambda z: limit if abs(z) < SERIES else numerator(z) / power(z)


def of_square(function, limit):
    """(f(x) − x) / x³ as a function of z = x²"""
    return quotient(lambda z: function(sqrt(z)) - sqrt(z), lambda z: sqrt(z) ** 3, limit)


LN2 = log(2)
S = (sqrt(2) - 1) / (sqrt(2) + 1)
CENTRE = mpf(2)
TINY = mpf("1e-20")


def scaled_erfc(u):
    x = CENTRE * (1 + u) / (1 - u)
    return exp(x * x) * erfc(x)


def place(x):
    return (x - CENTRE) / (x + CENTRE)


ROWS = {
    # name: (function, from, to, share of the result that its error is)
    "exp": (quotient(lambda r: exp(r) - 1 - r, lambda r: r * r, mpf(1) / 2), -LN2 / 2 * 1.001, LN2 / 2 * 1.001, mpf("0.12")),
    "atanh": (quotient(lambda z: 2 * atanh(sqrt(z)) / sqrt(z) - 2, lambda z: z, mpf(2) / 3), TINY, S * S * 1.001, mpf("0.03")),
    "sin": (of_square(sin, -mpf(1) / 6), TINY, (pi / 4) ** 2 * 1.001, mpf("0.62")),
    "cos": (
        quotient(lambda z: cos(sqrt(z)) - 1 + z / 2, lambda z: z * z, mpf(1) / 24),
        TINY,
        (pi / 4) ** 2 * 1.001,
        mpf("0.55"),
    ),
    "sinh": (of_square(sinh, mpf(1) / 6), TINY, mpf(1), mpf("0.86")),
    "asin": (of_square(asin, mpf(1) / 6), TINY, mpf("0.25"), mpf("0.25")),
    "atan": (of_square(atan, -mpf(1) / 3), TINY, (sqrt(2) - 1) ** 2 * 1.001, mpf("0.18")),
    "erf": (quotient(lambda z: erf(sqrt(z)) - sqrt(z), lambda z: sqrt(z), 2 / sqrt(pi) - 1), TINY, mpf("0.8607"), mpf(1)),
    "erfcx": (scaled_erfc, place(mpf("0.9277")), place(mpf(6)), mpf("0.43")),
}

for name, (function, start, end, share) in ROWS.items():
    for degree in range(3, 40):
        coefficients, error = chebyfit(function, [start, end], degree + 1, error=True)
        if error * share < mpf(2) ** -57:
            break
    print(name, degree, mp.nstr(error * share, 3))
    print("  [" + ", ".join(repr(float(c)) for c in coefficients) + "],")
print("2/pi words of 24 bits:")
mp.dps = 500
value, words = 2 / pi, []
for _ in range(49):
    value *= 2**24
    words.append(int(value))
    value -= int(value)
print(words)
mp.dps = 60
print("log10(2) low", repr(float(log(2) / log(10) - mpf(0.30102999566406250))), "log10 e low", repr(float(1 / log(10) - mpf(0.43359375))))
print("log10(2)", float(log(2)/log(10)).hex())
P1 = mpf(int(pi / 2 * 2**32)) / 2**32
P2 = mpf(int((pi / 2 - P1) * 2**66)) / 2**66
P3 = pi / 2 - P1 - P2
print("pi/2 parts", repr(float(P1)), repr(float(P2)), repr(float(P3)))
H = mpf(float(pi / 2))
print("pi/2 low", repr(float(pi / 2 - H)), "pi/4 low", repr(float(pi / 4 - mpf(float(pi / 4)))))
