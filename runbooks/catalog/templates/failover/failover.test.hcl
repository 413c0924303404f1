test "a standby that is far behind stops the failover before anything is changed" {
  runbook = "failover"

  on "check.site-a-is-dark" {
    state = "refused"
  }
  on "check.standby" {
    stdout = "t|99999999"
  }
  expect {
    condition = run.verdict == "failed"
  }
  expect {
    condition = !step.promote.started
  }
}

test "site A that still answers stops the failover" {
  runbook = "failover"

  on "check.site-a-is-dark" {
    state = "open"
  }
  on "check.standby" {
    stdout = "t|0"
  }
  expect {
    condition = !step.promote.started
  }
}
