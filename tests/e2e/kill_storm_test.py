"""QEMU killed two hundred times at random moments of real updates over the cloud, half of them on trial.

As power_cut_test.py, which is its short form: the same stories, more often.
"""
import unittest

import power_cut_test


class KillStorm(power_cut_test.PowerCuts):
    downloads, installs, starts = 80, 70, 50
    trial = 2  # seconds that every second bundle has to be confirmed


# Not once more under its own name.
del power_cut_test

if __name__ == "__main__":
    unittest.main(verbosity=2)
