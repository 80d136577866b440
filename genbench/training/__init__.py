"""The one training loop, its minibatches and checkpoints."""
