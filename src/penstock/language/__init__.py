"""Compilers: one package per config language, each a pure function from source text to a Plan."""
