"""What a deploy costs: wall time and bytes on the air, and the time from power-on to the application's first line."""
import statistics
import time

import report
from counting_proxy import CountingProxy
from harness import Chain

POWER_CYCLES = 5


def deploy(chain, proxy, what, project):
    proxy.reset()
    began = time.perf_counter()
    chain.deploy(project, "bench", timeout=300)
    wall = time.perf_counter() - began
    device = chain.device("bench")
    size = chain.json("apps", "show", device["app"]["target_sid"])["size"]
    return {"action": what, "wall_s": round(wall, 2), "bundle_bytes": size, "bytes_down": proxy.down, "bytes_up": proxy.up,
            "overhead": round((proxy.down + proxy.up) / size, 2)}


def power_on_to_first_line(chain):
    console = chain.home / "state" / "mvctl" / "emulators" / "bench" / "application.log"
    times = []
    for _ in range(POWER_CYCLES):
        chain.mvctl("emulator", "kill", "bench")
        lines = console.read_text(errors="replace").count("counter: hello")
        began = time.perf_counter()
        chain.mvctl("emulator", "power-on", "bench")
        while console.read_text(errors="replace").count("counter: hello") == lines:
            time.sleep(0.002)
        times.append(time.perf_counter() - began)
    return {"action": "power-on to first line", "wall_s": round(statistics.median(times), 2), "bundle_bytes": "",
            "bytes_down": "", "bytes_up": "", "overhead": ""}


def main():
    options = report.arguments(__doc__)
    chain = Chain()
    try:
        chain.start()
        proxy = CountingProxy(chain.port, 0)
        chain.start_device("bench", "--dial", f"127.0.0.1:{proxy.port}")
        project = chain.project("counter")
        rows = [deploy(chain, proxy, "first deploy of counter", project)]
        source = project / "counter.cc"
        source.write_text(source.read_text().replace("kStep = 1;", "kStep = 7;"))
        rows.append(deploy(chain, proxy, "deploy with one constant changed", project))
        rows.append(power_on_to_first_line(chain))
        proxy.close()
        report.report("deploy", rows, options.json)
    finally:
        chain.close()


if __name__ == "__main__":
    main()
