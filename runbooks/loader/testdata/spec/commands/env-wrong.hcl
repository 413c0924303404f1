locals {
  list = ["A=1"] # want CON-T005 "must be known before anything runs"
}

runbook "r" {
  variable "env" {
    type    = map(string)
    default = {}
  }
  phase "p" {
    hosts = control
    step "a" {
      argv = ["true"]
      env  = local.list
    }
    step "b" {
      argv = ["true"]
      env  = var.env # want CON-T005 "must be known before anything runs"
    }
    step "c" {
      argv = ["true"]
      env  = { "A B" = "1" } # want CON-S029 "is no name for env"
    }
    step "d" {
      argv = ["true"]
      env  = { A = "1", A = "2" } # want CON-S040 "has A twice"
    }
    step "e" {
      argv = ["true"]
      env  = { (var.env) = "1" } # want CON-T005 "are written out"
    }
    step "f" {
      argv = ["true"]
      env  = local.absent # want CON-R003 "there is no local"
    }
  }
}
