# A name may hold a minus, so a subtraction has spaces around it.
locals {
  limit = 3
}

runbook "r" {
  variable "lag" {
    type    = number
    default = 3
  }
  phase "p" {
    check "state" {
      hosts = control
      argv  = ["cat", "/run/state"]
      capture "lag-1" {
        value = result.stdout
      }
    }
    assert "a" {
      condition = var.lag-1 > 0 # want CON-R002 "there is no variable" at "lag-1"
    }
    assert "b" {
      condition = local.limit-1 > 0 # want CON-R003 "there is no local" at "limit-1"
    }
  }
}
