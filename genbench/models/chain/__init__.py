"""The models that sample by a learnt Markov chain, one file each."""
