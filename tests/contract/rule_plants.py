"""What tests of planted breaches share."""

from genbench.contracts.check import check_rule
from genbench.contracts.rules import rules_of

#: what is said of whatever writes into its input
LEAVE = "needs to leave what it is given as it is"


def find(kind, name, rule):
    """What comes of a rule on a plugin."""
    (one,) = [one for one in rules_of(kind) if one.name == rule]
    return check_rule(one, name)


def expect_broken(kind, rule, text, name="planted"):
    """A rule is broken, in one sentence that holds a text."""
    finding = find(kind, name, rule)
    assert finding.status == "broken", finding
    assert text in finding.reason
    assert "\n" not in finding.reason
