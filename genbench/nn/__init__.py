"""Building blocks on tensors with a leading seed axis, shape (S, B, …)."""
