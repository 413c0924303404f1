# The names in env are known before anything runs: written out, from a local, or merged.
locals {
  common = { PGHOST = "10.0.0.1", PGUSER = "postgres" }
}

runbook "r" {
  locals {
    more = merge(local.common, { PGPORT = "5432" })
  }
  phase "p" {
    hosts = control
    env   = local.common
    step "a" {
      argv = ["true"]
      env  = merge(local.more, { "PGUSER" = "admin" })
    }
  }
}
