test "database, application and edge move side by side" {
  runbook = "failover"

  before {
    started_at = "2026-11-21T03:10:00Z"
    marks      = { declared = "2026-11-21T03:05:00Z" }
  }

  on "call.db.step.promote.verify" { stdout = ["t", "f"] }
  on "call.app.check.listens" { state = ["refused", "open"] }
  on "check.order" { status = [503, 200] }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.rto.met }
}

test "without the approval of two nothing moves" {
  runbook = "failover"

  on "gate.failover" { deny = "alice@example.org" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !call.db.started && !call.app.started && !call.edge.started }
}

test "a database that is not promoted: the visitors are told of no order" {
  runbook = "failover"

  on "call.db.step.promote.verify" { stdout = "t" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !call.db.step.promote.ok && !check.order.started }
}

test "the way back" {
  runbook = "failback"

  expect { condition = run.verdict == "passed" }
}
