"""What the experiments of claims share: networks, and training with callbacks."""
