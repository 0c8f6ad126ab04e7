"""Round trips and bytes for each debug action (roundtrips.py)."""
import report
import roundtrips

DELAY = 0.15  # seconds each way


def main():
    options = report.arguments(__doc__)
    report.report("roundtrips", roundtrips.measure(DELAY), options.json)


if __name__ == "__main__":
    main()
