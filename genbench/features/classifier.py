"""Features of a small classifier that genbench trains on the data set itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, Logits, extractor
from genbench.core.rng import Rng
from genbench.features import _cache
from genbench.features._network import ClassifierNetwork, train

#: points to a call of the network
ROWS = 1024


@extractor("classifier")
class ClassifierFeatures(Extractor, Logits):
    """The penultimate layer, 64 numbers, of a classifier trained on the train split's labels.

    Those of digits, binary_digits and fashion_mnist are shipped, so that all machines compare by the same
    features. Of other data sets it is trained once, from a fixed seed, and kept in the cache folder; a
    broken file is trained anew. Its accuracy on the test split and a digest of its weights stand in the
    protocol: numbers under different digests do not compare.

    Arguments:
        dataset: A data set with labels.

    Raises:
        DataError: If the data set has no labels.
    """

    def __init__(self, dataset: Dataset | None = None) -> None:
        super().__init__(dataset)
        if dataset is None or dataset.spec.classes is None or dataset.labels("train") is None:
            got = "no data set" if dataset is None else f"{dataset.name}, which has none"
            raise DataError(
                f"the classifier extractor needs a data set with labels, got {got}; "
                f"use the identity extractor"
            )
        self._data, self._classes = dataset, dataset.spec.classes

    @property
    def protocol(self) -> str:
        """The data set, the accuracy on its test split and the digest: classifier:digits@1 98.6% 0f3a…."""
        return f"{self.name}:{self._data.name}@{self._data.version} {self.accuracy:.1%} {self.digest[:8]}"

    @property
    def accuracy(self) -> float:
        """The share of the test split that is classified rightly."""
        return self._trained[1]["accuracy"]

    @property
    def digest(self) -> str:
        """The sha256 of the weights, shortened to 16 hexadecimal digits."""
        return self._trained[1]["digest"]

    def extract(self, x: Tensor) -> Tensor:
        """Maps points (N, *event), or flattened ones, to features (N, 64), float32."""
        network = self._trained[0]
        return self._in_pieces(network, network.features, x)

    def logits(self, x: Tensor) -> Tensor:
        """Maps points (N, *event), or flattened ones, to class logits (N, classes), float32."""
        network = self._trained[0]
        return self._in_pieces(network, network, x)

    @cached_property
    def _trained(self) -> tuple[ClassifierNetwork, dict[str, Any]]:
        rng = Rng([0]).fork("classifier", self._data.name, self.version)
        cached = self._read(self._fresh(rng))
        if cached is not None:
            return cached
        network = self._fresh(rng)
        facts = self._train(network, rng.fork("order"))
        _cache.write(self._key, network.state_dict(), facts)
        return network, facts

    def _fresh(self, rng: Rng) -> ClassifierNetwork:
        return ClassifierNetwork(self._data.spec.event, self._classes, rng.fork("init"))

    def _read(self, network: ClassifierNetwork) -> tuple[ClassifierNetwork, dict[str, Any]] | None:
        """The network with the cached weights and facts, or None where they do not fit it."""
        cached = _cache.read(self._key)
        if cached is None:
            return None
        weights, facts = cached
        try:
            network.load_state_dict(weights)
            return network.eval(), {**facts, "accuracy": float(facts["accuracy"])}
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            _cache.LOG.warning("%s is of another network and is made anew: %s", self._key, error)
            return None

    def _train(self, network: ClassifierNetwork, rng: Rng) -> dict[str, Any]:
        x, labels = self._split("train")
        train(network, x, labels, rng)
        network.eval()
        x, labels = self._split("test")
        right = self._in_pieces(network, network, x).argmax(dim=1) == labels
        return {
            "accuracy": float(right.double().mean()),
            "digest": _cache.digest(network.state_dict()),
            "dataset": f"{self._data.name}@{self._data.version}",
            "extractor_version": self.version,
        }

    @property
    def _key(self) -> str:
        """A file name that changes with the data, their labels and this extractor."""
        digest = hashlib.sha256(f"{self.version}".encode())
        for split in ("train", "test"):
            _, labels = self._split(split)
            digest.update(self._data.hashes[split].encode())
            digest.update(labels.numpy().tobytes())
        return f"{self.name}-{self._data.name}@{self._data.version}-{digest.hexdigest()[:16]}"

    def _split(self, split: str) -> tuple[Tensor, Tensor]:
        labels = self._data.labels(split)
        if labels is None or not len(labels):
            raise DataError(
                f"the classifier extractor needs a labelled {split} split, got none in "
                f"{self._data.name}; use the identity extractor"
            )
        return self._data.points(split).float(), labels

    @torch.no_grad()
    def _in_pieces(
        self, network: ClassifierNetwork, function: Callable[[Tensor], Tensor], x: Tensor
    ) -> Tensor:
        event = self._data.spec.event
        if x.dim() < 2 or x[:1].numel() not in (0, self._data.spec.size):
            raise DataError(
                f"{self.name}:{self._data.name} needs points of shape (N, {', '.join(map(str, event))}), "
                f"got {tuple(x.shape)}; give points in data space"
            )
        network.to(x.device)
        pieces = x.reshape(-1, *event).float().split(ROWS)
        return torch.cat([function(piece) for piece in pieces])
