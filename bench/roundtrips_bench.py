"""Round trips, bytes and seconds of each debug action at 300 ms, beside those of a plain tunnel for the remote protocol."""
import plain_tunnel
import report
import roundtrips

DELAY = 0.15  # seconds each way


def beside(row, plain):
    """The row with what the plain tunnel took; None where it has no such action, or takes an hour for it."""
    turns, seconds = plain.get(row["action"], (None, None))
    return dict(row, plain_round_trips=turns, plain_seconds=None if seconds is None else round(seconds, 2))


def main():
    options = report.arguments(__doc__)
    plain = plain_tunnel.measure(roundtrips.ACTIONS, roundtrips.at, roundtrips.SOURCE, DELAY)
    report.report("roundtrips", [beside(row, plain) for row in roundtrips.measure(DELAY)], options.json)


if __name__ == "__main__":
    main()
