# The way back, when nothing is connected: `continuo test`, and `continuo test failback --explore`.

test "a failback that loses nothing" {
  runbook = "failback"

  on "check.b-takes-orders" { stdout = "active" }
  on "check.a-stands-by" { stdout = "standby" }
  on "check.a-has-space" { stdout = "   Avail\n80000000" }
  on "check.orders-at-b" { stdout = "3" }
  on "step.freeze.verify" { stdout = "frozen" }
  on "check.frozen-orders" { stdout = "2026-01-01T00:00:00Z an order" }
  on "check.frozen-digest" { stdout = "abc" }
  on "step.copy.verify" { stdout = "abc" }
  on "check.orders-at-a" { stdout = "2026-01-01T00:00:00Z" }
  on "step.activate-a.verify" { stdout = "active" }
  on "check.nothing-lost" { stdout = "4" }
  on "check.one-active-site" { stdout = "standby" }

  expect { condition = run.verdict == "passed" }
  expect { condition = alltrue([for o in values(run.objectives) : o.met]) }
}

test "a failback that is not needed, or has nowhere to go, touches nothing" {
  runbook = "failback"
  each = {
    "site A has taken over already" = { b = "standby", a = "active" }
    "both sites take orders"        = { b = "active", a = "active" }
  }

  on "check.b-takes-orders" { stdout = each.value.b }
  on "check.a-stands-by" { stdout = each.value.a }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.last-order.started && !step.freeze.started }
}

test "continuo is killed after the copy had begun: the run is resumed, and nothing is copied twice" {
  runbook = "failback"

  on "check.b-takes-orders" { stdout = "active" }
  on "check.a-stands-by" { stdout = "standby" }
  on "check.a-has-space" { stdout = "   Avail\n80000000" }
  on "check.orders-at-b" { stdout = "3" }
  on "step.freeze.verify" { stdout = "frozen" }
  on "check.frozen-orders" { stdout = "2026-01-01T00:00:00Z an order" }
  on "check.frozen-digest" { stdout = "abc" }
  on "step.copy.verify" { stdout = "abc" }
  on "check.orders-at-a" { stdout = "2026-01-01T00:00:00Z" }
  on "step.activate-a.verify" { stdout = "active" }
  on "check.nothing-lost" { stdout = "4" }
  on "check.one-active-site" { stdout = "standby" }
  fault "step.copy" {
    kind     = "crash"
    finished = true
  }

  expect { condition = run.verdict == "passed-with-deviations" && contains(run.deviations, "resumed") }
}
