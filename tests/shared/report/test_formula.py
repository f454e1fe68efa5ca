"""Formulas in a terminal: what Unicode can raise and lower, and what it cannot; every formula of every experiment."""

import re

import pytest

from exp_core.catalogue import read_catalogue
from exp_core.report.docstring import FORMULA
from exp_core.report.formula import formula

FORMULAS = sorted(
    {
        found
        for command in ("maths_exp", "dl_exp")
        for entry in read_catalogue(command).entries.values()
        for found in FORMULA.findall(entry.docstring)
    }
)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"x_{n-1} + a^{jk}", "xₙ₋₁ + aʲᵏ"),
        (r"y_{k+n/2} = u_{i-1,j}", "y[k+n/2] = u[i−1,j]"),
        (r"\hat s + \tilde\gamma_n \le \mathrm{max}(x) \log_2 n", "ŝ + γ̃ₙ ≤ max(x) log₂ n"),
        (r"w = e^{-2 \pi i/n}", "w = exp(−2 π i/n)"),
        (r"e^{x-m} = e^x / e^m", "eˣ⁻ᵐ = eˣ / eᵐ"),
        (r"p = e^{s_{ij} - l_i}", "p = exp(sᵢⱼ − lᵢ)"),
        (r"size^{a/b} + O(n^{3/4}) + n^{2.81} + 10^{-200}", "size^(a/b) + O(n^(3/4)) + n^2.81 + 10⁻²⁰⁰"),
        (r"\sum_{ijc} a_{ijc} + \sum_i b_i", "∑_ijc a[ijc] + ∑ᵢ bᵢ"),
        (r"\frac1n + \frac\lambda2 + \frac{1}{2n} + \tfrac{a + b}{3}", "1/n + λ/2 + 1/(2n) + (a + b)/3"),
        (r"\sqrt 2 \delta + \sqrt{n} + \sqrt{1 - \bar\alpha_t}", "√2 δ + √n + √(1 − α̅ₜ)"),
        (r"\frac{1}{\sqrt{x + 1}}", "1/(√(x + 1))"),
        (r"\overline{x^2} - \mu^2", "mean(x²) − μ²"),
        (r"\tanh(x) \, dy", "tanh(x) dy"),
        (r"y = \pm 1, 1 \pm u, \nabla f, \partial L/\partial z", "y = ±1, 1 ± u, ∇f, ∂L/∂z"),
    ],
)
def test_what_unicode_has_not_is_written_out(latex, text):
    assert formula(latex) == text


@pytest.mark.parametrize("latex", FORMULAS)
def test_no_formula_of_ours_shows_its_source(latex):
    """No command, no brace, no group half raised, and nothing lost: the letters and digits are there, in some form."""
    import unicodedata

    text = formula(latex)
    assert not re.search(r"[\\{}\ue000\ue001]|  |\^[^\w(]|_[^\w(]", text), text
    plain = unicodedata.normalize("NFKD", text)
    for word in re.findall(r"\\[a-zA-Z]+|\d", latex):
        assert word.startswith("\\") or word in plain, text
    assert len(plain) >= len(re.sub(r"\\[a-zA-Z]+|[{}\\^_,\s]", "", latex)) - latex.count("!"), text
