"""Where jobs run, one file per executor; `genbench/running/executor.py` says what one is."""
