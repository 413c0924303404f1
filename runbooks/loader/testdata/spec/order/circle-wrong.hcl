# A runbook's own locals win, also where those of the project need one of that name.
locals {
  site  = "${local.short}-north"
  short = "b"
}

runbook "r" {
  locals {
    short = substr(local.site, 0, 1) # want CON-E021 "locals need one another"
  }
  phase "one" {
    check "a" {
      hosts = control
      argv  = ["echo", local.site]
    }
  }
}
