# What the failover does when things go wrong, without a database: `continuo test`, `continuo test --explore`.

test "a failover that loses nothing" {
  runbook = "failover"

  on "check.primary" { stdout = "f" }
  on "check.standby" { stdout = "t" }
  on "check.lag" { stdout = "0|0.002" }
  on "check.nobody-else-fails-over" { exit_code = 1 }
  on "check.payments-flow" { stdout = "0" }
  on "step.freeze-writes.verify" { stdout = ["off", "on"] }
  on "check.caught-up" { stdout = ["512", "0"] }
  on "step.stop-old-primary.verify" { exit_code = 2 }
  on "check.payments-before" { stdout = "400" }
  on "step.promote.verify" { stdout = ["t", "t", "f"] }
  on "check.newest-payment" { stdout = "400|2026-01-01T00:00:00Z" }
  on "check.payments-resumed" { stdout = ["400", "401"] }
  on "check.nothing-lost" { stdout = "0" }
  on "check.old-primary-is-off" { state = "closed" }

  expect { condition = run.verdict == "passed" }
  expect { condition = alltrue([for o in values(run.objectives) : o.met]) }
}

test "a standby that lags too far is not promoted, and nothing was touched" {
  runbook   = "failover"
  variables = { max_lag_bytes = 1000 }

  on "check.primary" { stdout = "f" }
  on "check.standby" { stdout = "t" }
  on "check.lag" { stdout = "5000|3" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.take-lock.started && !step.promote.started }
}

test "a standby that does not catch up: payments flow again at site A" {
  runbook = "failover"

  on "check.primary" { stdout = "f" }
  on "check.standby" { stdout = "t" }
  on "check.lag" { stdout = "0|0.002" }
  on "check.nobody-else-fails-over" { exit_code = 1 }
  on "check.payments-flow" { stdout = "0" }
  on "step.freeze-writes.verify" { stdout = "on" }
  on "check.caught-up" { stdout = "512" }

  expect { condition = run.verdict == "failed" && !step.promote.started }
  expect { condition = contains(run.rolled_back, "step.freeze-writes") && contains(run.rolled_back, "step.take-lock") }
  expect { condition = contains(run.cleaned_up, "step.release-lock") }
}

test "a lost connection during the promotion: the database itself says that it is done" {
  runbook = "failover"

  on "check.primary" { stdout = "f" }
  on "check.standby" { stdout = "t" }
  on "check.lag" { stdout = "0|0.002" }
  on "check.nobody-else-fails-over" { exit_code = 1 }
  on "check.payments-flow" { stdout = "0" }
  on "step.freeze-writes.verify" { stdout = "on" }
  on "check.caught-up" { stdout = "0" }
  on "step.stop-old-primary.verify" { exit_code = 2 }
  on "check.payments-before" { stdout = "400" }
  on "step.promote.verify" { stdout = ["t", "f"] }
  on "check.newest-payment" { stdout = "400|2026-01-01T00:00:00Z" }
  on "check.payments-resumed" { stdout = "401" }
  on "check.nothing-lost" { stdout = "0" }
  on "check.old-primary-is-off" { state = "closed" }
  fault "step.promote" {
    kind    = "lost-connection"
    started = true
  }

  expect { condition = step.promote.ok && run.unknown == 0 && run.verdict == "passed" }
}
