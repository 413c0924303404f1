# What the runbook does, and what it does when things go wrong, in simulation: continuo test, continuo test --explore

test "site A is gone: the database is promoted at site B" {
  runbook = "failover"

  before {
    marks = { declared = "-10m" }
  }
  on "check.site-a-is-dark" {
    state = "closed"
  }
  on "check.standby" {
    stdout = "t|0"
  }
  on "step.promote.verify" {
    stdout = ["t", "f"]
  }
  on "step.accepts-writes" {
    stdout = "1"
  }
  expect {
    condition = run.verdict == "passed"
  }
  expect {
    condition = run.objectives.recovery-time.met
  }
}

test "a failover that nothing allows changes nothing" {
  runbook = "failover"
  each = {
    "the standby is far behind" = { site-a = "closed", standby = "t|99999999" }
    "it is no standby"          = { site-a = "closed", standby = "f|0" }
    "site A still answers"      = { site-a = "open", standby = "t|0" }
  }

  on "check.site-a-is-dark" {
    state = each.value.site-a
  }
  on "check.standby" {
    stdout = each.value.standby
  }
  expect {
    condition = run.verdict == "failed" && !step.promote.started
  }
}

test "nobody can say that site A stays off: nothing is promoted" {
  runbook = "failover"

  on "check.site-a-is-dark" {
    state = "closed"
  }
  on "check.standby" {
    stdout = "t|0"
  }
  on "manual.confirm" {
    outcome = "failed"
  }
  expect {
    condition = run.verdict == "failed" && !step.promote.started
  }
}
