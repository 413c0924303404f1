# What the runbooks do when nothing is connected: `continuo test`, and `continuo test --explore`.

test "a failover that loses nothing" {
  runbook = "failover"

  on "check.a-takes-orders" { stdout = "active" }
  on "check.b-stands-by" { stdout = "standby" }
  on "check.b-has-space" { stdout = "   Avail\n80000000" }
  on "check.orders-at-a" { stdout = "3" }
  on "step.freeze.verify" { stdout = "frozen" }
  on "check.frozen-orders" { stdout = "2026-01-01T00:00:00Z an order" }
  on "check.frozen-digest" { stdout = "abc" }
  on "step.copy.verify" { stdout = "abc" }
  on "check.orders-at-b" { stdout = "2026-01-01T00:00:00Z" }
  on "step.activate-b.verify" { stdout = "active" }
  on "check.nothing-lost" { stdout = "4" }
  on "check.one-active-site" { stdout = "standby" }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.recovery-point.met }
  expect { condition = contains(run.cleaned_up, "step.tidy") }
}

test "an active standby stops it before anything is touched" {
  runbook = "failover"

  on "check.a-takes-orders" { stdout = "active" }
  on "check.b-stands-by" { stdout = "active" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.last-order.started && !step.freeze.started }
}
