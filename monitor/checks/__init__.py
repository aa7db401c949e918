"""The checks: one module per protocol, each with the function `async check(spec, net) -> Result`."""
