"""No debug action costs more round trips, and no step more bytes, than it may."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import roundtrips  # noqa: E402

DELAY = 0.03  # seconds each way
STEP_BYTES = 1200  # on the air, both ways, all layers
LOAD_OVERHEAD = 1200  # bytes down beside the layers that differ: manifest, orders, the debug session


class Budgets(unittest.TestCase):
    def test_every_action_is_within_its_budget(self):
        rows = roundtrips.measure(DELAY)
        over = [f"{row['action']}: {row['round_trips']} round trips, may be {row['budget']}" for row in rows
                if not row["ok"]]
        self.assertEqual(over, [])
        steps = [row for row in rows if row["action"] in ("next, simple line", "step, simple line", "stepi")]
        self.assertEqual([row for row in steps if row["bytes_up"] + row["bytes_down"] > STEP_BYTES], [])
        first = next(row for row in rows if row["action"] == roundtrips.WITHOUT_ELF)
        self.assertGreater(first["round_trips"], 0, "what is known already says nothing about what is kept")
        load = next(row for row in rows if row["action"] == roundtrips.LOAD_CHANGED)
        self.assertLess(load["bytes_down"], load["sent"] + LOAD_OVERHEAD)


if __name__ == "__main__":
    unittest.main()
