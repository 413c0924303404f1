test "the roles change and nothing is lost" {
  runbook = "switchover"

  on "check.replication" { stdout = "ON\t0" }
  on "check.source-gtids" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77" }
  on "check.no-errant-transactions" { stdout = "1" }
  on "check.frozen-at" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-80" }
  on "check.caught-up" {
    stdout = "0"
    delay  = "3s"
  }
  on "step.promote.verify" { stdout = "0" }
  on "check.write-probe" { exit_code = [1, 1, 0] }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.write-outage.met }
}

test "a candidate that does not catch up: writes flow again at db-1" {
  runbook = "switchover"

  on "check.replication" { stdout = "ON\t0" }
  on "check.source-gtids" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77" }
  on "check.no-errant-transactions" { stdout = "1" }
  on "check.frozen-at" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-80" }
  on "check.caught-up" {
    stdout = "1"
    delay  = "10s"
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.promote.started }
  expect { condition = run.rolled_back == ["step.freeze"] }
}

test "errant transactions stop it before anything is frozen" {
  runbook = "switchover"

  on "check.replication" { stdout = "ON\t0" }
  on "check.source-gtids" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77" }
  on "check.no-errant-transactions" { stdout = "0" }

  expect { condition = run.verdict == "failed" && !step.freeze.started }
}

test "the connection is lost while db-2 is promoted: db-2 itself says that it is done" {
  runbook = "switchover"

  on "check.replication" { stdout = "ON\t0" }
  on "check.source-gtids" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77" }
  on "check.no-errant-transactions" { stdout = "1" }
  on "check.frozen-at" { stdout = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-80" }
  on "check.caught-up" { stdout = "0" }
  on "step.promote.verify" { stdout = "0" }
  fault "step.promote" {
    kind    = "lost-connection"
    started = true
  }

  expect { condition = step.promote.ok && run.unknown == 0 }
}
