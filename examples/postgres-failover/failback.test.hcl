# The way back when things go wrong, without a database.

test "everything as it was, with all payments" {
  runbook = "failback"

  on "check.primary" { stdout = "f" }
  on "check.payments-flow" { stdout = "0" }
  on "check.nobody-else-fails-over" { exit_code = 1 }
  on "step.follow-b.unless" { exit_code = 2 }
  on "step.follow-b.verify" { stdout = "t" }
  on "check.a-streams" { stdout = ["9000000", "0"] }
  on "step.freeze-writes.verify" { stdout = ["off", "on"] }
  on "check.caught-up" { stdout = ["512", "0"] }
  on "step.stop-b.verify" { exit_code = 2 }
  on "check.payments-before" { stdout = "400" }
  on "step.promote-a.verify" { stdout = ["t", "f"] }
  on "check.payments-resumed" { stdout = ["400", "401"] }
  on "check.nothing-lost" { stdout = "0" }
  on "step.follow-a.unless" { exit_code = 2 }
  on "step.follow-a.verify" { stdout = "t" }
  on "check.b-streams" { stdout = ["0", "1"] }

  expect { condition = run.verdict == "passed" }
  expect { condition = alltrue([for o in values(run.objectives) : o.met]) }
}

test "without a failover there is nothing to bring back" {
  runbook = "failback"

  on "check.primary" { stdout = "t" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.take-lock.started && !step.freeze-writes.started }
}
