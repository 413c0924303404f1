# Locals of the runbook win over those of the project; both may use results, and are followed for the order.
locals {
  a = 1
  b = "project"
}

runbook "r" {
  locals {
    b = "runbook"
    c = "${local.b} ${check.up.stdout}"
  }
  phase "one" {
    check "up" {
      hosts = control
      argv  = ["true"]
    }
    assert "c" {
      condition = local.c != "" && local.a == 1
      after     = []
    }
  }
}
