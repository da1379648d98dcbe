"""What the whole pipeline sustains on this machine, how near that is to its best, and where the CPU goes."""
