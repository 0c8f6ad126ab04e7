"""A debug session during a download, on a thin link: what a step takes meanwhile, and how much slower the download gets."""
import random
import statistics
import threading
import time

import report
from counting_proxy import CountingProxy
from harness import Chain, Debugger, GdbPrompt

DELAY = 0.15        # seconds each way
RATE = 8_000        # bytes a second each way: 64 kbit/s
NOISE = 100_000     # bytes of the update that no delta makes smaller
STEPS = 20          # with an idle link


def noisy(project, seed):
    """The application with a table that has nothing in common with that of another seed."""
    table = ", ".join(str(byte) for byte in random.Random(seed).randbytes(NOISE))
    (project / "noise.h").write_text(f"extern const unsigned char noise[] = {{{table}}};\n")


def deploy_without_waiting(chain, project):
    chain.mvctl("deploy", project, "--device", "bench", "--key", "dev", "--debug-key", "dev", timeout=300)


def downloading(device):
    return device["update"]["state"] in ("pending", "downloading")


def step(gdb):
    began = time.perf_counter()
    gdb.send("stepi", timeout=60)
    return time.perf_counter() - began


def seconds_of_download(chain):
    began = time.perf_counter()
    chain.wait_device("bench", lambda device: not downloading(device), 300, "the end of the download")
    return time.perf_counter() - began


def row(what, steps, download):
    return {"what": what, "steps": len(steps), "median_s": round(statistics.median(steps), 2) if steps else "",
            "worst_s": round(max(steps), 2) if steps else "", "download_s": round(download, 1) if download else ""}


def main():
    options = report.arguments(__doc__)
    chain = Chain()
    try:
        chain.start()
        proxy = CountingProxy(chain.port, DELAY, rate=RATE)
        chain.start_device("bench", "--dial", f"127.0.0.1:{proxy.port}")
        project = chain.project("counter")
        source = project / "counter.cc"
        source.write_text('#include "noise.h"\n' + source.read_text().replace("product + kStep", "product + noise[value & 0xffff]"))
        noisy(project, 1)
        chain.deploy(project, "bench", timeout=300)
        noisy(project, 2)
        deploy_without_waiting(chain, project)
        alone = seconds_of_download(chain)
        chain.wait_device("bench", lambda device: device["update"]["state"] == "up-to-date", 60, "the second bundle running")

        debugger = Debugger(chain, "bench", "--elf", str(next(project.rglob("counter.elf"))))
        gdb = GdbPrompt(next(project.rglob("counter.elf")), debugger.port)
        idle = [step(gdb) for _ in range(STEPS)]
        noisy(project, 3)
        deploy_without_waiting(chain, project)
        busy, ended = [], threading.Event()
        began = time.perf_counter()

        def watch():
            chain.wait_device("bench", lambda device: not downloading(device), 300, "the end of the download")
            ended.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        while not ended.is_set():
            busy.append(step(gdb))
        together = time.perf_counter() - began
        watcher.join()
        gdb.close()
        debugger.close()
        proxy.close()
        report.report("concurrent", [row("download alone", [], alone), row("stepi alone", idle, None),
                                     row("both", busy, together)], options.json)
    finally:
        chain.close()


if __name__ == "__main__":
    main()
