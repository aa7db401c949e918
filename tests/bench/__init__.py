"""What the monitor costs, and whether it keeps its promises under load: one table with an aim for each figure.

    __main__    the options, and the rows in their order
    figures     a figure and its aim, a row, quantiles; scrape: sums over a scrape; table: to read and to keep
    cost        CPU per check, beside blackbox_exporter by turns
    honest      durations and starts at 500 checks per second, held against what the target wrote down
    hanging     limits while a fifth of the targets hangs
    many        ten thousand checks: start, scrape, pages, reload, memory
    growth      CPU per check among many and among few; a small installation
    soak        hostile targets, reloads and visitors for minutes; hostile: these targets
    cores       what a second probe worker gives
    monitor     the daemon as a process; audience: who looks at it meanwhile
    exporter    blackbox_exporter, and what drives it
    target      the nginx that is asked; answerer: a target of our own that knows what it did
    saturate    the path of a check back to back, also under a profiler
    machine     what the kernel says of processes and of this machine

Nothing of what is measured is asserted: a figure that depends on the machine is printed, with its aim.
"""
