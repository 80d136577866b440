"""Sentences of a small stochastic grammar, whose probabilities are known."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import dataset
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._text import Text, inverted, tokens_of
from genbench.points.tokens import n_gram_law

#: what every symbol becomes, with its probability; subjects and verbs agree in number
GRAMMAR: dict[str, dict[str, float]] = {
    "SENTENCE": {"ONE ONE_DOES.": 0.6, "MANY MANY_DO.": 0.4},
    "ONE_DOES": {"ONE_RESTS": 0.3, "ONE_ACTS OBJECT": 0.7},
    "MANY_DO": {"MANY_REST": 0.3, "MANY_ACT OBJECT": 0.7},
    "ONE": {"the NOUN": 0.4, "a NOUN": 0.3, "the KIND NOUN": 0.2, "a KIND NOUN": 0.1},
    "MANY": {"the NOUNS": 0.5, "two NOUNS": 0.2, "the KIND NOUNS": 0.2, "two KIND NOUNS": 0.1},
    "OBJECT": {"the NOUN": 0.4, "a NOUN": 0.3, "the NOUNS": 0.2, "two NOUNS": 0.1},
    "NOUN": {"cat": 0.4, "dog": 0.3, "hen": 0.2, "boy": 0.1},
    "NOUNS": {"cats": 0.4, "dogs": 0.3, "hens": 0.2, "boys": 0.1},
    "KIND": {"old": 0.5, "big": 0.3, "sad": 0.2},
    "ONE_RESTS": {"sits": 0.5, "runs": 0.3, "naps": 0.2},
    "MANY_REST": {"sit": 0.5, "run": 0.3, "nap": 0.2},
    "ONE_ACTS": {"sees": 0.5, "hits": 0.3, "bites": 0.2},
    "MANY_ACT": {"see": 0.5, "hit": 0.3, "bite": 0.2},
}
SYMBOL = re.compile("[A-Z_]+")


@dataset("template_text")
class TemplateText(Text):
    """Short English sentences from a stochastic context-free grammar, padded with spaces at the end.

    Subject and verb agree in number, and an adjective may stand before the noun. The grammar has no
    recursion, so its 3,264 sentences are listed, and log probabilities (-inf for anything else),
    entropy and the distribution of n-grams, padding included, are exact.

    References:
        | Three Models for the Description of Language (Chomsky, 1956), section 3, for phrase structure
    """

    paper = "Chomsky, 1956"

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        spelt = sentences()
        length = max(map(len, spelt))
        alphabet = "".join(sorted(set("".join(spelt))))
        super().__init__(alphabet, length, data_dir=data_dir, offline=offline)
        self.sentences = tokens_of([text.ljust(length) for text in spelt], alphabet)
        self.probabilities = torch.tensor(list(spelt.values()), dtype=torch.float64)
        self._ends = Constant(self.probabilities.cumsum(0))
        self._sentences = Constant(self.sentences)
        entropy = float(torch.special.entr(self.probabilities).sum())
        self._number = {row.tobytes(): i for i, row in enumerate(self.sentences.numpy())}
        self.truth = Truth(self._log_prob, entropy, n_grams=self._n_grams)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, int64, shape (S, n, L)."""
        which = inverted(self._ends.on(rng.device), rng.uniform(n))
        return self._sentences.on(rng.device)[which]

    def _log_prob(self, x: Tensor) -> Tensor:
        """Log probabilities in nats, float64, of sequences (…, L)."""
        rows = x.long().reshape(-1, self.spec.size).cpu().numpy()
        which = torch.tensor([self._number.get(row.tobytes(), -1) for row in rows])
        log_probs = torch.cat([self.probabilities, torch.zeros(1, dtype=torch.float64)]).log()
        return log_probs[which].view(x.shape[:-1]).to(x.device)

    def _n_grams(self, n: int) -> Tensor:
        """The distribution of n consecutive characters at a uniformly drawn place, shape (tokens,) * n."""
        return n_gram_law(self.sentences, n, len(self.alphabet), self.probabilities)


@cache
def sentences() -> dict[str, float]:
    """Returns every sentence with its probability, in the order of the grammar."""
    return _expanded("SENTENCE")


def _expanded(text: str) -> dict[str, float]:
    """Every string that a text with symbols derives, with its probability given the text."""
    symbol = SYMBOL.search(text)
    if symbol is None:
        return {text: 1.0}
    strings: dict[str, float] = {}
    for choice, p in GRAMMAR[symbol.group()].items():
        rest = text[: symbol.start()] + choice + text[symbol.end() :]
        for spelt, q in _expanded(rest).items():
            strings[spelt] = strings.get(spelt, 0.0) + p * q
    return strings
