"""How a target is asked: one module per protocol, all of one shape, `async check(spec, net) -> Result`."""
