"""Contracts: what a plugin of each kind must keep, so that all else may rely on it.

A rule is a function in the module of its kind; its docstring is the rule in a sentence. The tests of
this repository run all rules over the built-in plugins, and `genbench test-plugin` over anybody's.
"""
