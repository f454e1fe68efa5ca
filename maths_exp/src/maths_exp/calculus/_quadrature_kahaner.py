"""Kahaner's battery: 21 integrals on which QUADPACK's forerunners were compared, with their values to 16 digits.

Source: D. K. Kahaner, Comparison of numerical quadrature formulas, in: J. R. Rice (ed.), Mathematical Software (1971),
229-259.  The tests compute each value again, to 30 digits.
"""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._quadrature_integrands import ELEMENTARY, Integrand, power, step


def exponential(x, p):
    return np.exp(p[0] * x)


def cosh_minus_cos(x, p):
    return 23 / 25 * np.cosh(x) - np.cos(x)


def quartic(x, p):
    return 1 / (x**4 + p[0] * x**2 + p[1])


def sine_below(x, p):
    return 2 / (2 + np.sin(10 * np.pi * x))


def pole(x, p):
    return 1 / (p[0] + x ** p[1])


def fermi(x, p):
    return 1 / (1 + np.exp(x))


def bose(x, p):
    return x / np.expm1(x)


def sinc(x, p):
    return np.sin(p[0] * np.pi * x) / (np.pi * x)


def half_bell(x, p):
    return np.sqrt(50.0) * np.exp(-50 * np.pi * x * x)


def steep(x, p):
    return 25 * np.exp(-25 * x)


def cauchy(x, p):
    return 50 / (np.pi * (2500 * x * x + 1))


def sinc_squared(x, p):
    return 50 * (np.sin(50 * np.pi * x) / (50 * np.pi * x)) ** 2


def waves_in_a_wave(x, p):
    return np.cos(np.cos(x) + 3 * np.sin(x) + 2 * np.cos(2 * x) + 3 * np.sin(2 * x) + 3 * np.cos(3 * x))


def logarithm(x, p):
    return np.log(x)


def three_peaks(x, p):
    first, second, third = (1 / np.cosh(10 * x - 2), 1 / np.cosh(100 * x - 40), 1 / np.cosh(1000 * x - 600))
    return first**2 + second**4 + third**6


# the integral                                     its value
PUBLISHED = {
    Integrand(exponential, (1.0, 0.0)): math.e - 1,
    Integrand(step, (0.0, 0.3)): 0.7,
    Integrand(power, (0.5, 0.0)): 2 / 3,
    Integrand(cosh_minus_cos, (0.0, 0.0), -1.0): 0.47942822668880176130,
    Integrand(quartic, (1.0, 0.9), -1.0): 1.5822329637296729025,
    Integrand(power, (1.5, 0.0)): 0.4,
    Integrand(power, (-0.5, 0.0)): 2.0,
    Integrand(pole, (1.0, 4.0)): 0.86697298733991103757,
    Integrand(sine_below, (0.0, 0.0)): 2 / math.sqrt(3),
    Integrand(pole, (1.0, 1.0)): math.log(2),
    Integrand(fermi, (0.0, 0.0)): 0.37988549304172247537,
    Integrand(bose, (0.0, 0.0)): 0.77750463411224827642,
    Integrand(sinc, (100.0, 0.0), 0.1): 0.0090986375391668429157,
    Integrand(half_bell, (0.0, 0.0), 0.0, 10.0): 0.5,
    Integrand(steep, (0.0, 0.0), 0.0, 10.0): 1.0,
    Integrand(cauchy, (0.0, 0.0), 0.0, 10.0): 0.49936338107645674464,
    Integrand(sinc_squared, (0.0, 0.0), 0.01): 0.11213930374163741027,
    Integrand(waves_in_a_wave, (0.0, 0.0), 0.0, math.pi): 0.83867634269442961454,
    Integrand(logarithm, (0.0, 0.0)): -1.0,
    Integrand(pole, (1.005, 2.0), -1.0): 1.5643964440690499089,
    Integrand(three_peaks, (0.0, 0.0)): 0.21080273550054927738,
}

# f              flops of one evaluation
FLOPS = {
    exponential: 1 + ELEMENTARY,
    cosh_minus_cos: 2 + 2 * ELEMENTARY,
    quartic: 6,
    sine_below: 3 + ELEMENTARY,
    pole: 2 + ELEMENTARY,
    fermi: 2 + ELEMENTARY,
    bose: 1 + ELEMENTARY,
    sinc: 3 + ELEMENTARY,
    half_bell: 3 + ELEMENTARY,
    steep: 2 + ELEMENTARY,
    cauchy: 5,
    sinc_squared: 5 + ELEMENTARY,
    waves_in_a_wave: 11 + 6 * ELEMENTARY,
    logarithm: ELEMENTARY,
    three_peaks: 17 + 3 * ELEMENTARY,
}
