"""Calculus: differential equations, integrals, derivatives and minima."""
