# x.lag-1 is the attribute lag-1.
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
      condition = check.state.lag-1 != "" && var.lag - 1 > 0
    }
  }
}
