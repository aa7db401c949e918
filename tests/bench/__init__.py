"""What a check costs: the daemon and blackbox_exporter side by side, in one run, as ratios (docs/bench.md).

    __main__    the options
    loads       what is measured, and in which rounds
    monitor     the daemon under load; exporter: blackbox_exporter and what drives it
    saturate    the path of a check back to back, also under a profiler
    target      the nginx that everything asks
    machine     what the kernel says of processes and of this machine
    table       the result, to read and to keep

Nothing here is a unit test: a figure that depends on the machine is printed, not asserted.
"""
